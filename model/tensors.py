"""Loop dims and tensors: which tensor has which dim, and how many words a window takes.

One MAC multiplies a weight with an input and adds to an output (see `mapsearch.model.layer`). A loop over a dim that a tensor has
moves through that tensor's words; a loop over any other dim reuses the same words. All code reads this from `TOUCHES`.
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


# bool[3, 8]: whether a tensor depends on a dim. Y' and R slide over the input's rows, X' and S over its columns.
TOUCHES: NDArray[np.bool_] = np.array(
    [[label in dims for label in "GNKCRSYX"] for dims in ("GKCRS", "GNCRSYX", "GNKYX")],  # W, I, O
    np.bool_,
)
TOUCHES.flags.writeable = False

# The dims of each sliding window, outputs first: those of the input's rows, and those of its columns.
WINDOWS = ((Dim.Y, Dim.R), (Dim.X, Dim.S))


def window_words(outputs: int, taps: int, stride: int, dilation: int) -> int:
    """Distinct coordinates of {stride*i + dilation*j : 0 <= i < outputs, 0 <= j < taps}.

    Pairs (i, j) and (i - a, j + b) name the same coordinate, with a = dilation/g, b = stride/g, g = gcd(stride, dilation).
    So the pairs form chains, one for each coordinate, and there are as many chains as pairs less links between pairs.
    """
    g = gcd(stride, dilation)
    a, b = dilation // g, stride // g
    return outputs * taps - max(outputs - a, 0) * max(taps - b, 0)
