"""A run: the best mapping of every layer of a network on one machine."""
