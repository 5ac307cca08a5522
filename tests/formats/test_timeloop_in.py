"""Timeloop's mappings as ours: what is written reads back with the same counts, and the mapper's own files load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import hardware_of, mapped_layer, peer_cases

from mapsearch.formats.directives import MappedLayer
from mapsearch.formats.mappings import load_network
from mapsearch.formats.timeloop.out import case_of, write_case
from mapsearch.model.cost import Count
from mapsearch.model.errors import InputError
from mapsearch.model.exact import ExactModel
from mapsearch.model.hardware import Hardware
from mapsearch.model.mapping import encode

CASES = peer_cases()
EXPORTED = [name for name in CASES if name not in {"pw_edge", "conv_inner_edge", "found_mb_dw"}]
OFFCHIP = (Count.OFFCHIP_READ_W, Count.OFFCHIP_READ_I, Count.OFFCHIP_READ_O, Count.OFFCHIP_WRITE)
COUNTS = (
    Count.STEPS, Count.RUNTIME_CYCLES, Count.L1_FILL_W, Count.L1_FILL_I, Count.L1_FILL_O, Count.L2_TO_L1_W, Count.L2_TO_L1_I,
    Count.PSUM_READ, Count.L2_ADD_READ, Count.OUTPUT_WRITE, Count.L1_NEED_BYTES, *OFFCHIP,
)  # fmt: skip
# As timeloop-mapper writes for an array in rows and columns: a level for each tensor in the PE, levels that keep nothing.
MAPPED = """
problem:
  instance: {C: 8, M: 32, R: 3, S: 3, N: 2, P: 16, Q: 12, HStride: 2, WStride: 1}
  shape:
    name: conv
    dimensions: [C, M, R, S, N, P, Q]
    coefficients: [{name: HStride, default: 1}, {name: WStride, default: 1}]
    data-spaces:
    - {name: Weights, projection: [[[C]], [[M]], [[R]], [[S]]]}
    - {name: Inputs, projection: [[[N]], [[C]], [[R], [P, HStride]], [[S], [Q, WStride]]]}
    - {name: Outputs, projection: [[[N]], [[M]], [[Q]], [[P]]], read-write: true}
mapping:
  - {target: psum_spad, type: datatype, keep: [Outputs], bypass: [Weights, Inputs]}
  - {target: weights_spad, type: datatype, keep: [Weights], bypass: [Inputs, Outputs]}
  - {target: rows, type: datatype, keep: [], bypass: [Weights, Inputs, Outputs]}
  - {target: columns, type: datatype, keep: [], bypass: [Weights, Inputs, Outputs]}
  - {target: shared_glb, type: datatype, keep: [Inputs, Outputs], bypass: [Weights]}
  - {target: DRAM, type: datatype, keep: [Weights, Inputs, Outputs], bypass: []}
  - {target: psum_spad, type: temporal, factors: C1 M2 R1 S1 N1 P1 Q1, permutation: MCRSNPQ}
  - {target: weights_spad, type: temporal, factors: C4 M1 R3 S1 N1 P1 Q1, permutation: CRMSNPQ}
  - {target: rows, type: spatial, factors: C1 M2 R1 S3 N1 P1 Q1, permutation: SMCRNPQ, split: 0}
  - {target: rows, type: temporal, factors: C1 M1 R1 S1 N1 P1 Q1, permutation: CMRSNPQ}
  - {target: columns, type: spatial, factors: C1 M2 R1 S1 N1 P1 Q1, permutation: QCMRSNP, split: 1}
  - {target: columns, type: temporal, factors: C1 M1 R1 S1 N1 P1 Q1, permutation: CMRSNPQ}
  - {target: shared_glb, type: temporal, factors: C2 M1 R1 S1 N1 P8 Q12, permutation: PQCMRSN}
  - {target: DRAM, type: temporal, factors: C1 M4 R1 S1 N2 P2 Q1, permutation: MNPCQRS}
"""


def _texts(folder: Path, text: str) -> Iterator[str]:
    """The layer and its directives, level by level, of a file."""
    file = folder / "layer.yaml"
    file.write_text(text, encoding="utf-8")
    [mapped] = load_network(file).layers
    yield f"{mapped.layer.name} {mapped.layer.type} {mapped.layer.extents} {mapped.layer.stride} {mapped.mapping.clusters}"
    yield from ("; ".join(each.text for each in level) for level in mapped.mapping.levels)


def _counts(mapped: MappedLayer, hardware: Hardware) -> dict[str, int]:
    mapped.check(hardware.shape)
    costs = ExactModel().evaluate(mapped.layer, hardware, encode([mapped.mapping], mapped.layer, hardware.shape))
    return {count.name: int(costs[count][0]) for count in COUNTS}


@pytest.mark.parametrize("name", EXPORTED)
def test_what_is_written_has_the_same_counts(name: str, tmp_path: Path) -> None:
    """Loops move between levels, but no step, no word and no off-chip word changes, with edges and with Clusters of one."""
    mapped, hardware = mapped_layer(CASES[name]), hardware_of(CASES[name])
    file = tmp_path / "layer.yaml"
    file.write_text(write_case(case_of(mapped, hardware)), encoding="utf-8")
    [read] = load_network(file).layers
    assert (read.layer.type, read.layer.shape) == (mapped.layer.type, mapped.layer.shape)
    assert _counts(read, hardware) == _counts(mapped, hardware)


def test_a_file_of_the_mapper(tmp_path: Path) -> None:
    """Level 0 has loops until a dim comes again, a Cluster those over units of a dim, and the tile what is inside them."""
    assert list(_texts(tmp_path, MAPPED)) == [
        "layer CONV (1, 2, 32, 8, 3, 3, 16, 12) (2, 1) (4, 3)",
        "SpatialMap(1,1) G; TemporalMap(8,8) Y'; TemporalMap(1,1) N; TemporalMap(8,8) K; TemporalMap(4,4) C; TemporalMap(1,1) X'",
        "TemporalMap(1,1) Y'; SpatialMap(2,2) K",
        "SpatialMap(1,1) S",
    ]


def test_a_list_from_the_outside(tmp_path: Path) -> None:
    """Written by hand the list begins with off-chip memory, with its factors as text or as a list; a lone loop needs no order."""
    text = (
        "problem: {shape: cnn-layer, C: 6, K: 4, R: 1, S: 1, P: 5, Q: 7, N: 1}\n"
        "mapping:\n"
        "- {target: MainMemory, type: temporal, factors: [C=3, P=5], permutation: [P, C]}\n"
        "- {target: GlobalBuffer, type: temporal, factors: Q=4}\n"
        "- {target: GlobalBuffer, type: spatial, factors: K=4}\n"
        "- {target: RegisterFile, type: temporal, factors: 'Q=2,1 C=2', permutation: QC}\n"
    )
    assert list(_texts(tmp_path, text)) == [
        "layer CONV (1, 1, 4, 6, 1, 1, 5, 7) (1, 1) (4,)",
        "SpatialMap(1,1) G; TemporalMap(2,2) C; TemporalMap(1,1) Y'; TemporalMap(2,2) X'",
        "SpatialMap(1,1) K",
    ]


def test_a_product_of_matrices_has_its_own_dims(tmp_path: Path) -> None:
    """Dims of any names play their parts: those of input and output are M, then the batch that shares the weights."""
    text = (
        "problem:\n  shape:\n    dimensions: [i, j, k, b]\n    data_spaces:\n"
        "    - {name: A, projection: [[[b]], [[i]], [[k]]]}\n    - {name: Weights, projection: [[[k]], [[j]]]}\n"
        "    - {name: Z, projection: [[[b]], [[i]], [[j]]], read_write: true}\n"
        "  instance: {i: 4, j: 6, k: 5, b: 3}\n"
        "mapping:\n- {target: L1, type: temporal, factors: k5, permutation: k}\n"
        "- {target: DRAM, type: temporal, factors: b3 i4 j6, permutation: jib}\n"
    )
    assert list(_texts(tmp_path, text)) == [
        "layer GEMM (1, 3, 6, 5, 1, 1, 1, 4) (1, 1) ()",
        "SpatialMap(1,1) G; TemporalMap(1,1) N; TemporalMap(1,1) X'; TemporalMap(1,1) K",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("C4 M1 R3", "C4 M1 R2", "mapping: the factors of R must cover its 3 indices, and cover 2"),
        ("M2 R1 S3", "M2 R1 S3 S1", "mapping: rows: spatial: a factor must be a dim of the problem and its trips, such as C=4"),
        ("C4 M1 R3", "C4 M1 R0", "each dim once, got R0"),
        ("permutation: MNPCQRS", "permutation: MNCQRS", "DRAM: temporal: permutation must name all of M, N, P, got MNCQRS"),
        ("type: spatial", "type: space", "type must be 'temporal', 'spatial', 'datatype', 'dataspace' or 'bypass', got 'space'"),
        ("[P, HStride]]", "[P, HStride], [C]]", "no layer type expresses the problem"),
        ("mapping:\n", "mapping: 3\nothers:\n", "mapping must be a list, got 3"),
    ],
)
def test_wrong_files_are_refused(old: str, new: str, told: str, tmp_path: Path) -> None:
    """The error is one line with the file, the level, the law and the value."""
    with pytest.raises(InputError) as caught:
        list(_texts(tmp_path, MAPPED.replace(old, new)))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'layer.yaml'}: ")
    assert told in message
    assert "\n" not in message


def test_two_dims_of_one_part_are_refused(tmp_path: Path) -> None:
    """A product over two dims of C has no loop of ours for each."""
    text = (
        "problem:\n  shape:\n    dimensions: [i, j, k, l]\n    data_spaces:\n"
        "    - {name: A, projection: [[[i]], [[k]], [[l]]]}\n    - {name: Weights, projection: [[[k]], [[l]], [[j]]]}\n"
        "    - {name: Z, projection: [[[i]], [[j]]], read_write: true}\n"
        "  instance: {i: 4, j: 6, k: 5, l: 3}\n"
        "mapping:\n- {target: L1, type: temporal, factors: i4 j6 k5 l3, permutation: ijkl}\n"
    )
    with pytest.raises(InputError, match="dims k and l both play the part of C, which only one loop may"):
        list(_texts(tmp_path, text))
