"""How to choose: objectives, searches for mappings and machines, walks over designs, worker processes."""
