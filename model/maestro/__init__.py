"""What the open-source MAESTRO computes, its faults included: for comparison with published MAESTRO and GAMMA figures.

Source: github.com/maestro-project/maestro at commit 4eb08d17. Its inputs as written are a `source.Source`, which `reader` reads
from a mapping file; `levels` completes its directives level by level as the program does and raises where the program refuses or
crashes; `kernel` walks the iteration cases; `figures` derives what is printed; `model` is the cost model of the searches.
"""
