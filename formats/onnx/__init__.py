"""ONNX models: the layers of a network from its graph, with the shapes that the package `onnx` infers.

    layers_in.py    the format's reader: operators to layers, the rest listed as left out
    shapes.py       the shapes of all values, also where the model computes sizes from shapes
    microsoft.py    onnxruntime's operators, whose shapes the package does not know
    graph.py        a model as nodes with attributes and shapes: dims chosen, shapes inferred, constants told from activations
    convolution.py, matmul.py, attention.py, recurrent.py, einsum.py    operators with MACs, a family each

A family has OPERATORS: by the name of an operator, the function that gives a node's rows of our layer-set file.
"""
