"""Everything with a syntax: text or bytes in, objects out, and back.

    registry.py     the formats by name, what each reads and writes, and the protocols of their readers and writers
    directives/     our directive language: layers with their mappings
    yaml/           our own files: layer sets, hardware with technologies, constraints, dataflows, sweeps
    maestro/        the published MAESTRO's files: mappings and hardware in, both out
    networks.py     what names networks: SET, SET:LAYER,LAYER, several with weights
    shipped.py      shipped files by name, a user's by path; they lie in data/
    complaint.py    what pydantic finds wrong with a file's keys, as one line
    text.py         files read as UTF-8, and written whole or not at all

A format of another tool is a folder beside these and a line in `registry.FORMATS`. An ONNX importer would be `onnx/layers_in.py`,
with `recognises(name, data)` and `read_layers(data, where)`, and the line `Format("onnx", (".onnx",), layers="layers_in")`. Readers
of layers and of hardware give the keys of our YAML files, so that all checks are made once. Commands that take a layer set or a
hardware then take the format's files too, and `mapsearch export --to` lists each format with a writer. Its tests subclass
`mapsearch.testing.FormatContract` (tests/formats/test_formats.py).
"""
