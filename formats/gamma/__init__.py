"""GAMMA's files (github.com/maestro-project/gamma): models in."""
