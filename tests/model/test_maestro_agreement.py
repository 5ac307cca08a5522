"""The model of MAESTRO gives the numbers that the published program printed, and an error where that one gave none."""

from __future__ import annotations

from collections import Counter

import pytest
from maestro_rows import COLUMNS, Row, compared, equal, figures_of, recorded_rows

from mapsearch.model.errors import InputError

ROWS = list(recorded_rows())
GROUPS = sorted({row["group"].split(":")[0] for row in ROWS})


def _rows(group: str, status: str) -> list[Row]:
    return [row for row in ROWS if row["group"].split(":")[0] == group and row["status"] == status and row["ub_flag"] == ""]


def test_all_recorded_rows_are_there() -> None:
    """The file has 599 rows, of which 552 have numbers that are defined, and every column that holds a number is compared."""
    assert len(ROWS) == 599
    assert sum(len(_rows(group, "ok")) for group in GROUPS) == 552
    inputs = {"id", "group", "name", "layer_type", "N", "G", "K", "C", "R", "S", "Y", "X", "M", "Yp", "Xp", "stride_y", "stride_x"}
    inputs |= {"dataflow", "hw_mode", "num_pes", "noc_bw", "noc_latency", "offchip_bw", "l1_size", "l2_size", "simd", "true_macs"}
    outcomes = {"ub_flag", "status", "exit_code", "message", "warnings"}
    # the multicasting factors are 1 whatever happens (or nothing over nothing), the other two repeat inputs
    constant = {"csv_mcast_weight", "csv_mcast_input", "csv_num_pes", "csv_vector_width"}
    assert set(ROWS[0]) == inputs | outcomes | constant | set(COLUMNS)


@pytest.mark.parametrize("group", GROUPS)
def test_every_number_of_an_accepted_row_is_equal(group: str) -> None:
    """Each number is the recorded one to a relative 1e-9, for all rows of the group that the program accepted."""
    wrong: Counter[str] = Counter()
    for row in _rows(group, "ok"):
        differing = {column: pair for column, pair in compared(row).items() if not equal(*pair)}
        wrong.update({f"row {row['id']}: {column}: {pair}": 1 for column, pair in differing.items()})
    assert not wrong


REJECTED = [row for row in ROWS if row["status"] in ("rejected", "exit_255_silent")]
CRASHED = [row for row in ROWS if row["status"].startswith("crash")]


@pytest.mark.parametrize("row", REJECTED, ids=[row["id"] for row in REJECTED])
def test_a_rejected_row_is_an_error(row: Row) -> None:
    """What the program rejects is an error of one line."""
    with pytest.raises(InputError) as caught:
        figures_of(row)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("row", CRASHED, ids=[row["id"] for row in CRASHED])
def test_a_crashed_row_is_an_error_that_names_the_crash(row: Row) -> None:
    """Where the program crashes the error says so, with the signal."""
    signals = {"crash_signal_8": "(SIGFPE)", "crash_signal_11": "(SIGSEGV)", "crash_signal_6": "(SIGABRT)"}
    with pytest.raises(InputError) as caught:
        figures_of(row)
    assert "published program" in str(caught.value)
    assert signals[row["status"]] in str(caught.value)
