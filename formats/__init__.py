"""Everything with a syntax: text or bytes in, objects out, and back.

    registry.py     the formats by name, what each reads and writes, and the protocols of their readers and writers
    directives/     our directive language: layers with their mappings
    yaml/           our own files: layer sets, hardware with technologies, constraints, dataflows, sweeps
    maestro/        the published MAESTRO's files: networks, mappings and hardware in, the latter two out
    onnx/           ONNX models: networks in
    pytorch.py      PyTorch modules: networks in, by way of ONNX
    scalesim_topology/    SCALE-Sim's topologies: networks in and out
    timeloop/, zigzag/    these tools' files: networks and mappings in, mappings with their machines out
    accelforge/     AccelForge's files: mappings in, and with their machines out
    gamma/          GAMMA's models: networks in
    nest/, python/, c/    a mapping's loops, for other tools and as code that computes the layer
    mappings.py     networks with their mappings from a file of any format; seeds.py: those that a search starts from
    sources.py      the layers of a network from a file of any format, or a folder of files
    rows.py         rows of our layer-set files, as readers of other formats make them
    einsums.py      layers from einsums, by their structure
    mixes.py        names of networks: SET, SET:LAYER,LAYER, or several with weights
    shipped.py      shipped files by name, a user's by path; they lie in data/
    complaint.py    pydantic's errors of a file's keys, as one line
    text.py         files read as UTF-8, and written whole or not at all

To add a format of another tool, add a folder here and a line to `registry.FORMATS`. The ONNX importer is `onnx/layers_in.py`, with
`recognises(name, data)` and `read_layers(data, where, choices)`, and the line `Format("onnx", (".onnx",), layers="layers_in")`
before YAML's, which takes any file that no other recognises; packages stand in pyproject.toml. Readers of layers and of hardware
return the keys of our YAML files, so that all files pass the same checks. Commands that take a layer set, a hardware or mappings
then take the format's files too, and `mapsearch export --to` lists each format with a writer. Test a format with
`mapsearch.testing.FormatContract` (see tests/formats/test_formats.py).
"""
