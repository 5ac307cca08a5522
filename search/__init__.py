"""How to choose: samplers, the compiled inner search over tile sizes, workers."""
