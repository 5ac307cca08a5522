"""Two answers side by side.

VERIFIERS: the tools whose own program we can run beside ours, each with the module that does, which has
`verify(path, hardware, binary, timeout_seconds)`.
"""

VERIFIERS = {"maestro": "mapsearch.studies.compare.published_maestro"}
