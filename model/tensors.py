"""Loop dims and tensors: which tensor has which dim, and how many words a window takes.

One MAC multiplies a weight with an input and adds to an output (see `mapsearch.model.layer`). A loop over a dim that a tensor has
moves on through that tensor's words; a loop over any other dim uses the same words again. `TOUCHES` says it once for all code.
"""

from __future__ import annotations

from enum import IntEnum
from math import gcd

import numpy as np
from numpy.typing import NDArray


class Dim(IntEnum):
    """A loop dim; the value is its index in every array with an axis of eight dims."""

    G = 0
    N = 1
    K = 2
    C = 3
    R = 4
    S = 5
    Y = 6
    X = 7

    @property
    def label(self) -> str:
        """The dim's name in directive text: output rows and columns are Y' and X'."""
        return self.name + "'" if self >= Dim.Y else self.name


class Tensor(IntEnum):
    """An operand; the value is its index in every array with an axis of three tensors."""

    WEIGHT = 0
    INPUT = 1
    OUTPUT = 2

    @property
    def label(self) -> str:
        """The tensor's name in results: weight, input, output."""
        return self.name.lower()


# bool[3, 8]: whether a tensor has an axis of a dim. Inputs have rows and columns, which Y' with R and X' with S slide over.
TOUCHES: NDArray[np.bool_] = np.array(
    [[label in dims for label in "GNKCRSYX"] for dims in ("GKCRS", "GNCRSYX", "GNKYX")],  # W, I, O
    np.bool_,
)
TOUCHES.flags.writeable = False

# The dims of each sliding window, outputs first: those of the input's rows, and those of its columns.
WINDOWS = ((Dim.Y, Dim.R), (Dim.X, Dim.S))


def window_words(outputs: int, taps: int, stride: int, dilation: int) -> int:
    """Distinct coordinates of {stride*i + dilation*j : 0 <= i < outputs, 0 <= j < taps}.

    Pairs (i, j) and (i - a, j + b) name the same coordinate, with a = dilation/g, b = stride/g, g = gcd(stride, dilation);
    so the pairs fall into chains, and the chains number the pairs less the links between them.
    """
    g = gcd(stride, dilation)
    a, b = dilation // g, stride // g
    return outputs * taps - max(outputs - a, 0) * max(taps - b, 0)
