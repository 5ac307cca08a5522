"""SCALE-Sim's topology files: a header, then a convolution or a matrix product in each line.

    Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
    Layer, M, N, K,

SCALE-Sim reads the first eight or four fields of a line, and N:M sparsity after them; comments may follow. Padding has no column,
and Y' = ceil((Y - R + stride) / stride): it counts a last window that the input does not fill. A name with `DP` is a depthwise
layer. Files also list depthwise layers as many channels and one filter, which as a convolution has as many MACs but one output
channel: `depthwise=yes` or `depthwise=no` must say which it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mapsearch.formats.registry import Choices
from mapsearch.formats.rows import Row, compact, convolution_type, named
from mapsearch.formats.text import decode
from mapsearch.model.errors import InputError, short, show
from mapsearch.model.layer import MAX_EXTENT

_CONV = ("IFMAP height", "IFMAP width", "filter height", "filter width", "channels", "number of filters", "stride")
_GEMM = ("M", "N", "K")
_HEADER = re.compile(rb"^[\s\xef\xbb\xbf]*layer[^,\n]*,\s*(ifmap|m\s*,)", re.IGNORECASE)


def recognises(name: str, data: bytes) -> bool:  # noqa: ARG001 other tools have CSV files too
    """Whether the text begins with the header of a topology."""
    return _HEADER.match(data) is not None


def read_layers(data: bytes, where: str, choices: Choices) -> dict[str, object]:
    """See `LayersImporter`; choices: `depthwise`, whether a layer of one filter and several channels is depthwise."""
    depthwise = _depthwise(where, choices)
    header, *lines = decode(data, where, "topology").splitlines() or [""]
    fields = _GEMM if re.match(r"[^,]*,\s*M\s*,", header, re.IGNORECASE) else _CONV
    order = [word.strip().upper() for word in header.split(",")[1:4]]
    if fields is _GEMM and order != list(_GEMM):
        raise InputError(f"{where}: the header must be Layer, M, N, K, as SCALE-Sim reads these columns, got {show(header)}")
    rows = [
        {"name": name}
        | (_gemm(sizes) if fields is _GEMM else _conv(f"{where}: line {line}", name, sizes, rest, depthwise=depthwise))
        for line, name, sizes, rest in _lines(where, lines, fields)
    ]
    if not rows:
        raise InputError(f"{where}: the topology must have at least one layer after its header, got none")
    return {"title": Path(where).stem, "source": f"{Path(where).name}, a topology of SCALE-Sim's", "layers": named(rows)}


def _lines(where: str, lines: list[str], fields: tuple[str, ...]) -> Iterator[tuple[int, str, list[int], list[str]]]:
    """The number, name, sizes and further fields of each layer."""
    for line, text in enumerate(lines, start=2):
        name, *values = [word.strip() for word in text.split(",")]
        if not name and not any(values):
            continue
        if len(values) < len(fields):
            raise InputError(f"{where}: line {line}: must have a name and {', '.join(fields)}, got {show(text)}")
        for field, value in zip(fields, values, strict=False):
            if not re.fullmatch(r"[0-9]{1,10}", value) or not 1 <= int(value) <= MAX_EXTENT:
                raise InputError(f"{where}: line {line}: {field} must be a whole number from 1 to {MAX_EXTENT}, got {show(value)}")
        yield line, name or f"layer{line - 1}", [int(value) for value in values[: len(fields)]], values[len(fields) :]


def _conv(place: str, name: str, sizes: list[int], rest: list[str], *, depthwise: bool | None) -> Row:
    height, width, r, s, channels, filters, stride = sizes
    if r > height or s > width:
        raise InputError(
            f"{place} ({short(name)}): the filter must not be larger than the IFMAP, got {r} x {s} on {height} x {width}"
        )
    alone = filters == 1 and channels > 1 and "DP" not in name
    if alone and depthwise is None:
        raise InputError(
            f"{place} ({short(name)}): {channels} channels and 1 filter may be a depthwise layer or a convolution; "
            "say which, by depthwise=yes or depthwise=no after the file's name and a colon"
        )
    grouped = "DP" in name or (alone and depthwise)
    image = {"R": r, "S": s, "Y'": -(-(height - r) // stride) + 1, "X'": -(-(width - s) // stride) + 1, "stride": stride}
    row = compact(convolution_type(*(channels, filters, 1) if grouped else (1, filters, channels)) | image)
    return row | _density(place, rest)


def _density(place: str, rest: list[str]) -> Row:
    """The share of weights that are not zero, where the line gives N:M sparsity."""
    given = rest[0] if rest else ""
    if not re.fullmatch(r"[0-9]{1,10}\s*:\s*[0-9]{1,10}", given):
        return {}
    kept, of = (int(part) for part in given.split(":"))
    if not 1 <= kept <= of:
        raise InputError(f"{place}: sparsity must be N:M with N from 1 to M, got {show(given)}")
    return {"density": {"W": kept / of}} if kept < of else {}


def _gemm(sizes: list[int]) -> Row:
    return {"type": "GEMM", **dict(zip(_GEMM, sizes, strict=True))}


def _depthwise(where: str, choices: Choices) -> bool | None:
    answers = {"yes": True, "no": False}
    for name, value in choices.items():
        if name != "depthwise" or value not in answers:
            raise InputError(
                f"{where}: a topology leaves only depthwise=yes or depthwise=no open, got {short(name)}={short(value)}"
            )
    return answers.get(choices.get("depthwise", ""))
