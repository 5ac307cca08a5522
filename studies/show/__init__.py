"""A mapping for people to look at: its loop nest, and what the PEs hold in the first steps.

nest.py   the loops, and the tiles that L2 and L1 hold
steps.py  the first steps: which PE holds which part of each tensor
lines.py  the nest as text
"""
