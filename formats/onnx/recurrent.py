"""Recurrent layers: LSTM, GRU and RNN, in one direction or both.

A step's gates are one product h*U. A GRU without linear_before_reset makes the product of its last gate after the others: the same
MACs in two products.
"""

from __future__ import annotations

from mapsearch.formats.onnx.graph import Node
from mapsearch.formats.rows import Row, compact


def recurrent(node: Node) -> list[Row]:
    """The gates of all steps; each direction is a run with weights of its own."""
    inputs, recurrence = node.shape(0), node.shape(2)
    if len(inputs) != 3 or len(recurrence) != 3:
        raise node.error(f"its input and recurrence weights must have 3 dims, got {list(inputs)} and {list(recurrence)}")
    steps, batch = inputs[:2] if node.integer("layout", 0) == 0 else inputs[1::-1]
    weights = node.weights(1)
    node.weights(2)  # they belong to the same layer
    row = {"type": node.operator, "I": inputs[2], "H": recurrence[2], "T": steps}
    return [compact(row | {"batch": batch, "count": recurrence[0], "weights": weights})]


OPERATORS = {"LSTM": recurrent, "GRU": recurrent, "RNN": recurrent}
