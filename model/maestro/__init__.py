"""What the open-source MAESTRO computes, its faults included.

For comparison with published MAESTRO and GAMMA figures. Source: github.com/maestro-project/maestro
at commit 4eb08d17. Its inputs as written are a `source.Source`, which `mapsearch.formats.maestro`
reads from a mapping file; `levels` completes its directives level by level as the program does and
raises where the program refuses or crashes; `count/mapping` walks the iteration cases, from `tiles`
by `cases` and `volumes` to a `step`, in one record, the `workspace`; `figures` derives what is
printed; `program` runs one file's layer, `batch` the mappings of the searches, whose cost model is
`model`.
"""
