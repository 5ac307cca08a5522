"""What things are and what they cost; no file and no syntax.

layer.py, layers.py     a layer in eight dims; layers from what people know (conv, gemm, lstm, ...)
tensors.py, windows.py  which tensor has which dim; words of tiles and sliding windows
mapping.py              a mapping as directives and as arrays; mapping_laws.py: what arrays from outside must hold to
hardware.py, technology.py  a machine, and what its process costs
cost.py                 the interface of a cost model; registry.py: the models by name; limit.py: costs that are of no use
evaluation.py           what a model says of one mapping; plain.py: as JSON has it
energy.py, area.py      where each access is priced, and each part of the machine
counted_costs.py, records.py, compiled.py  counts with prices; the named fields of kernels; how kernels are compiled
exact/                  the exact model and its lower bound: the one to trust
maestro/                the published MAESTRO's numbers, its faults included
reference/              slow, obvious models that the fast ones are held against
"""
