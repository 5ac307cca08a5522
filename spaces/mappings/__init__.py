"""The mappings of one layer on one machine that a search may choose from.

space.py           the space: draws, samples, varies and adopts mappings, and counts them
constraints.py     choices that are fixed or bounded; choices.py: the choices that are left
orders.py          loop orders, drawn and made legal; tiles.py: tile sizes, the same; rules.py: which sizes
laws.py            laws by name, so that other tools can express the mappings; renewed.py: one that whole mappings are looked at for
completion.py      mappings chosen part by part, for branch and bound
sweep_variants.py  the mappings of a sweep
size.py, variation.py, space_record.py  of this folder alone: counting, the kernels of change, the space as kernels take it
"""
