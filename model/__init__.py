"""What things are and what they cost: layers, directives, mappings, hardware, technology, cost models, the simulator."""
