"""Masks of a layer's zeros, from NumPy's files beside the layer-set file that names them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mapsearch.model.errors import LayerError
from mapsearch.model.masks import Bools


def load_mask(path: Path, where: str) -> Bools:
    """The array of booleans in a .npy file; LayerError, which begins with `where`, where there is none."""
    try:
        with path.open("rb") as file:
            mask: object = np.load(file, allow_pickle=False)
    except OSError as error:
        raise LayerError(f"{where}: {path} must be readable: {error.strerror}") from None
    except (ValueError, EOFError):
        mask = None
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        got = mask.dtype if isinstance(mask, np.ndarray) else "another file"
        raise LayerError(f"{where}: {path} must be a .npy file of booleans, got {got}; write it by numpy.save")
    return mask
