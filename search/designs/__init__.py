"""Sweeps: every design of a grid of machines, costed from tables."""
