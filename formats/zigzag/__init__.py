"""ZigZag's files (github.com/KULeuven-MICAS/zigzag): workloads and results in, and layers with their mappings out.

layers_in.py     workloads; equation.py: their einsums
mappings_in.py   mappings, from results
result.py        what ZigZag writes of a layer
out.py           the three files of a layer
conventions.py   ZigZag's counts by our figures, and where it counts otherwise
"""
