"""GAMMA's model files: `K,C,Y,X,R,S,T` in each line, with that header or without.

T is 1 for a convolution, 2 for a depthwise one of C channels, and 3 for a matrix product, whose first three numbers are M, N and K.
Y and X are the input as listed: strides and padding have no column, so layers that have them come out with other sizes than the
networks that they are named after.
"""

from __future__ import annotations

import re
from pathlib import Path

from mapsearch.formats.registry import Choices, take_no_choices
from mapsearch.formats.rows import Row, compact
from mapsearch.formats.text import decode
from mapsearch.model.errors import InputError, show
from mapsearch.model.layer import MAX_EXTENT

_COLUMNS = ("K", "C", "Y", "X", "R", "S", "T")
_FIRST = re.compile(rb"[\s\xef\xbb\xbf]*(K\s*,\s*C\s*,|[0-9]+\s*,)", re.IGNORECASE)


def recognises(name: str, data: bytes) -> bool:
    """Whether the file is called .csv and begins with the header or with a number."""
    return name.lower().endswith(".csv") and _FIRST.match(data) is not None


def read_layers(data: bytes, where: str, choices: Choices) -> dict[str, object]:
    """See `LayersImporter`."""
    take_no_choices(choices, where)
    lines = enumerate(decode(data, where, "model").splitlines(), start=1)
    rows = [
        {"name": f"layer{line}"} | _row(f"{where}: line {line}", text)
        for line, text in lines
        if text.strip() and not (line == 1 and text.replace(" ", "").upper().startswith("K,C,"))
    ]
    if not rows:
        raise InputError(f"{where}: the model must have at least one line {','.join(_COLUMNS)}, got none")
    return {"title": Path(where).stem, "source": f"{Path(where).name}, a model file of GAMMA's", "layers": rows}


def _row(place: str, text: str) -> Row:
    words = [word.strip() for word in text.split(",")]
    if len(words) != len(_COLUMNS) or not all(re.fullmatch(r"[0-9]{1,10}", word) for word in words):
        raise InputError(f"{place}: must be seven whole numbers {','.join(_COLUMNS)}, got {show(text)}")
    k, c, y, x, r, s, kind = (int(word) for word in words)
    for name, size in zip(_COLUMNS, (k, c, y, x, r, s), strict=False):
        if not 1 <= size <= MAX_EXTENT:
            raise InputError(f"{place}: {name} must be from 1 to {MAX_EXTENT}, got {size}")
    image = {"R": r, "S": s, "Y": y, "X": x}
    match kind:
        case 1:
            return {"type": "CONV", "K": k, "C": c} | image
        case 2:
            return {"type": "DSCONV", "G": c} | ({"K": k} if k > 1 else {}) | image
        case 3:
            return compact({"type": "GEMM", "M": k, "N": c, "K": y})
        case _:
            raise InputError(f"{place}: T must be 1 (convolution), 2 (depthwise) or 3 (matrix product), got {kind}")
