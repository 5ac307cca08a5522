"""Designs as Parquet: a folder of parts, each written whole, which readers take as one table.

A part's columns are dataflow, layer, a column for each further axis of the hardware space, and fields of DESIGN. Its metadata hold
the counts of designs left out and costed, and its front, so that a sweep can go on from the existing parts without reading their
designs.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mapsearch.model.errors import InputError
from mapsearch.search.designs.front import DesignFront
from mapsearch.search.designs.sweep import Counted
from mapsearch.search.designs.walk import DESIGN, FIGURES
from mapsearch.spaces.machines.space import Value
from mapsearch.studies.folder import ANEW

# Rows that are collected before they are written, some 30 MB.
ROW_GROUP = 2**18
# The shipped sweep's take less than 2; how many depends on how often their values repeat.
BYTES_PER_DESIGN = 8
_COUNTED, _FRONT = b"mapsearch.counted", b"mapsearch.front"


def part_paths(folder: Path) -> list[Path]:
    """The existing parts, in their order."""
    return sorted((folder / "designs").glob("part-*.parquet"))


def part_path(folder: Path, number: int) -> Path:
    """The file of a part."""
    return folder / "designs" / f"part-{number:06d}.parquet"


@dataclass(frozen=True, slots=True)
class Columns:
    """What the rows of designs hold: the values of the further axes, one row for each setting, and these fields of DESIGN."""

    keys: Sequence[str]
    values: Sequence[Sequence[Value]]
    fields: Mapping[str, np.dtype[Any]]


def part_bytes(
    names: dict[str, str], columns: Columns, blocks: Iterable[NDArray[np.void]], counted: Counted, front: DesignFront
) -> bytes:
    """All blocks of designs as a Parquet file.

    names: of the dataflow and the layer. counted, front: complete after the last block.
    """
    file = io.BytesIO()
    with _writer(file, _table(np.empty(0, DESIGN), names, columns).schema) as writer:
        for table in _gathered(_table(rows, names, columns) for rows in blocks):
            writer.write_table(table)
        told = {_COUNTED: asdict(counted), _FRONT: front.designs.tolist()}
        writer.add_key_value_metadata({key: json.dumps(value).encode() for key, value in told.items()})
    return file.getvalue()


def _writer(file: BinaryIO, schema: Any) -> Any:  # noqa: ANN401 pyarrow has no types
    """A writer to the file, with dictionaries for the columns of the axes, whose values repeat."""
    repeated = [name for name in schema.names if name not in FIGURES]
    return import_module("pyarrow.parquet").ParquetWriter(file, schema, compression="zstd", use_dictionary=repeated)


def _gathered(tables: Iterable[Any]) -> Iterator[Any]:  # pyarrow has no types
    """Tables of at least ROW_GROUP rows, except the last."""
    arrow: Any = import_module("pyarrow")
    held, count = list[Any](), 0
    for table in tables:
        held.append(table)
        count += len(table)
        if count >= ROW_GROUP:
            yield arrow.concat_tables(held)
            held, count = [], 0
    if held:
        yield arrow.concat_tables(held)


def _table(rows: NDArray[np.void], names: dict[str, str], columns: Columns) -> Any:  # noqa: ANN401 pyarrow has no types
    """A table with its own copy of a block, since the next block overwrites it."""
    arrow: Any = import_module("pyarrow")
    all_alike = np.zeros(len(rows), np.int32)
    found = {name: arrow.DictionaryArray.from_arrays(all_alike, arrow.array([text])) for name, text in names.items()}
    for place, key in enumerate(columns.keys):
        found[key] = np.array([row[place] for row in columns.values])[rows["setting"]]
    found |= {key: rows[key].astype(kind) for key, kind in columns.fields.items()}
    return arrow.table(found)


def read_found(path: Path, designs: int) -> tuple[Counted, NDArray[np.void]]:
    """The counts and the front, DESIGN[F], of a part; InputError where it is none, or not of so many designs, left out or not."""
    parquet: Any = import_module("pyarrow.parquet")
    try:
        metadata = parquet.read_metadata(path).metadata
        counted = Counted(**json.loads(metadata[_COUNTED]))
        front = np.array([tuple(row) for row in json.loads(metadata[_FRONT])], DESIGN)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: must be a part that a sweep wrote ({error}); remove it, and the sweep costs it again") from None
    if counted.designs != designs:
        raise InputError(f"{path}: must be of {designs:,} designs, got {counted.designs:,}: another version wrote it; {ANEW}")
    return counted, front


def read_names(path: Path) -> dict[str, str] | None:
    """The names of the dataflow and the layer of a part; None where it has no design."""
    parquet: Any = import_module("pyarrow.parquet")
    with parquet.ParquetFile(path) as file:
        rows = next(file.iter_batches(1, columns=["dataflow", "layer"]), None)
        return rows.to_pylist()[0] if rows is not None and rows.num_rows else None


def read_designs(path: Path, keys: Sequence[str] = tuple(DESIGN.fields or ())) -> Iterator[NDArray[np.void]]:
    """The designs of a part in their order, these fields of DESIGN of some at a time; fields that it has not are 0."""
    parquet: Any = import_module("pyarrow.parquet")
    wanted = np.dtype([(key, DESIGN[key]) for key in keys], align=True)
    with parquet.ParquetFile(path) as file:
        known = [key for key in keys if key in file.schema_arrow.names]
        for batch in file.iter_batches(ROW_GROUP, columns=known):
            rows = np.zeros(batch.num_rows, wanted)
            for key in known:
                rows[key] = batch.column(key).to_numpy()
            yield rows
