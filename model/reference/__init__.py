"""Slow, obvious cost models that the fast ones are held against."""
