"""Two answers side by side.

VERIFIERS: the tools whose own program can be run for comparison, each with the module that does so by
`verify(path, hardware, binary, timeout_seconds)`.
"""

VERIFIERS = {"maestro": "mapsearch.studies.compare.published_maestro"}
