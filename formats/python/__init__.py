"""Mappings as NumPy code that computes the layer."""
