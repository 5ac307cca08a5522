"""YAML files: layer sets, hardware, technologies, constraints, dataflows, sweeps."""
