"""Masks of a layer's zeros, from NumPy's files beside the layer-set file that names them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np

from mapsearch.model.errors import LayerError
from mapsearch.model.masks import Bools


def load_mask(path: Path, where: str) -> Bools:
    """The array of booleans in a .npy file; LayerError, which begins with `where`, where there is none."""
    try:
        with path.open("rb") as file:
            mask = cast("object", np.load(file, allow_pickle=False))
    except OSError as error:
        raise LayerError(f"{where}: {path} must be readable: {error.strerror}") from None
    except (ValueError, EOFError):
        mask = None
    dtype = getattr(mask, "dtype", "another file")
    if dtype != np.bool_:
        raise LayerError(f"{where}: {path} must be a .npy file of booleans, got {dtype}; write it by numpy.save")
    return cast("Bools", mask)
