"""Searches for the best mapping of one layer."""
