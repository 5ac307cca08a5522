"""What the open-source MAESTRO computes, its faults included.

For comparison with published MAESTRO and GAMMA figures. Source: github.com/maestro-project/maestro at commit 4eb08d17.

A `source.Source` is a layer with its mapping as a file writes it (`mapsearch.formats.maestro` reads it). `levels` completes its
directives level by level, as the program does, and raises where it refuses or crashes. `count/mapping` walks the iteration
cases (`tiles`, `cases`, `volumes`, `step`) in one record, the `workspace`. `figures` derives what the program prints, and `report`
an evaluation. `program` runs one layer of a file, `batch` the mappings of a search, `translate` turns our layers and mappings into
the program's, and `model` is the cost model.
"""
