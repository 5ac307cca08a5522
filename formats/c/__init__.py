"""Mappings as C code that computes the layer."""
