"""What Timeloop's files call the dims and the tensors, in those that are written here."""

from __future__ import annotations

from mapsearch.model.tensors import Dim, Tensor

# In the order in which a problem lists them; Timeloop takes letters.
LETTERS = {
    Dim.G: "G", Dim.N: "N", Dim.K: "K", Dim.C: "C", Dim.R: "R", Dim.S: "S", Dim.Y: "P", Dim.X: "Q",
}  # fmt: skip
SPACES = {Tensor.WEIGHT: "Weights", Tensor.INPUT: "Inputs", Tensor.OUTPUT: "Outputs"}
