"""Recurrent layers: LSTM, GRU and RNN, in one direction or both.

A step's gates are one product h*U. A GRU without linear_before_reset makes the product of its last gate after the others: the same
MACs in two products.
"""

from __future__ import annotations

from mapsearch.formats.onnx.graph import Node
from mapsearch.formats.rows import Row, compact

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def recurrent(node: Node) -> list[Row]:
    """The gates of all steps; each direction is a run with weights of its own."""
    inputs = node.shape(0)
    hidden = node.integer("hidden_size", 0) or node.shape(2, 3)[2]
    directions = 2 if node.text("direction", "forward") == "bidirectional" else 1
    words = inputs[-1]
    # Exporters also compute these from constants, in ways that inference does not follow.
    rows = _GATES[node.operator] * hidden
    for index, shape in enumerate(((directions, rows, words), (directions, rows, hidden), (directions, 2 * rows)), start=1):
        if node.has(index) and node.graph.shapes.setdefault(node.inputs[index], shape) != shape:
            raise node.error(f"input {index} must have the shape {list(shape)}, got {list(node.shape(index))}")
    if len(inputs) != 3:
        raise node.error(f"its input must have 3 dims, got {list(inputs)}")
    steps, batch = inputs[:2] if node.integer("layout", 0) == 0 else inputs[1::-1]
    weights = node.weights(1)
    node.weights(2)  # they belong to the same layer
    row: Row = {"type": node.operator, "I": words, "H": hidden, "T": steps}
    return [compact(row | {"batch": batch, "count": directions, "weights": weights})]


OPERATORS = {"LSTM": recurrent, "GRU": recurrent, "RNN": recurrent}
