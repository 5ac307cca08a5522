"""What tables show of long lists, of what is wide, and of gaps."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsearch.cli import main
from mapsearch.formats.yaml import hardware as hardware_files
from mapsearch.formats.yaml import layer_sets
from mapsearch.output import SHOWN, WIDTH, spread, write_prose, write_table
from mapsearch.studies.shown import gap_text, shortened

Capture = pytest.CaptureFixture[str]
MAESTRO = Path(__file__).parents[1] / "golden" / "directives" / "kc_p.printed.m"


@given(st.integers(0, 1000))
def test_a_long_list_is_shown_from_end_to_end(count: int) -> None:
    """A short list is shown whole; of a long one different rows in order, as many as fit, the first and the last among them."""
    shown = spread(range(count))
    assert len(shown) == min(SHOWN, count)
    assert shown == sorted(set(shown))
    assert shown[:1] + shown[-1:] == ([0, count - 1] if count else [])


def test_units_have_a_line_of_their_own(capsys: Capture) -> None:
    """A header's unit stands below it; numbers are to the right, with commas, large and small ones in short."""
    write_table("t", ("name", "energy [µJ]"), [("a", 12345.6), ("b", 0.123456), ("c", 1.5e9)])
    assert capsys.readouterr().out.splitlines() == [
        "t", "       energy", "name     [µJ]", "─────────────", "a      12,346", "b      0.1235", "c     1.5e+09", "",
    ]  # fmt: skip


@given(st.text("ab", min_size=1, max_size=90), st.integers(0, 10**40), st.lists(st.text("xy", min_size=1, max_size=9), max_size=40))
def test_a_wide_table_gives_way_in_its_text(name: str, number: int, words: list[str]) -> None:
    """Names lose their middle and prose is wrapped, so that a table fits; numbers are whole, and no word of prose is lost."""
    with redirect_stdout(StringIO()) as printed:
        write_table("", ("layer", "figure", "because"), [(name, number, " ".join(words))])
    lines = printed.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert f"{number:,}" in lines[2]
    assert " ".join(lines[2:]).split()[2:] == words
    kept = lines[2].split()[0]
    assert kept == shortened(name, len(kept))


def test_prose_is_wrapped_and_keeps_numbers_by_their_units(capsys: Capture) -> None:
    """A long line goes on below with an indent, breaks between a number and its unit nowhere, and leaves long words whole."""
    write_prose("search:  " + "1.5 seconds, " * 12 + "x" * 120, indent=9)
    first, *others = capsys.readouterr().out.splitlines()
    assert len(first) <= WIDTH
    assert all(line.startswith(" " * 9) for line in others)
    assert all(line.endswith("seconds,") for line in (first, *others[:-1]))
    assert others[-1].strip() == "x" * 120


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (None, ""), (0.0, "optimal"), (3e-16, "optimal"), (1e-9, "optimal"), (1e-7, "< 0.01%"), (0.00062, "< 0.062%"),
        (0.28, "< 28%"), (0.994, "< 99%"), (0.996, "< 100%"), (12.345, "< 1,234%"),
    ],
)  # fmt: skip
def test_gaps(gap: float | None, text: str) -> None:
    """A gap of rounding is none, and of others two digits are told, in full."""
    assert gap_text(gap) == text


def _widest(capsys: Capture, *argv: str) -> int:
    """The longest line of a command's output, paths aside."""
    assert main(list(argv)) == 0
    return max(len(line) for line in capsys.readouterr().out.splitlines() if not line.startswith("written: "))


@pytest.mark.parametrize("name", layer_sets.names())
def test_a_shipped_network_fits(name: str, tmp_path: Path, capsys: Capture) -> None:
    """What is printed of a shipped network, searched, evaluated and compared, is 100 columns wide at the most."""
    run = str(tmp_path / "run")
    assert _widest(capsys, "layers", name) <= WIDTH
    assert _widest(capsys, "space", name) <= WIDTH
    assert _widest(capsys, "run", name, "--evaluations", "1", "--jobs", "1", "--quiet", "--out", run) <= WIDTH
    assert _widest(capsys, "evaluate", f"{run}/network.m") <= WIDTH
    assert _widest(capsys, "compare", run, run) <= WIDTH


@pytest.mark.parametrize("name", [*hardware_files.names(), *hardware_files.space_names()])
def test_shipped_hardware_fits(name: str, capsys: Capture) -> None:
    """What is printed of a shipped machine or space is 100 columns wide at the most."""
    assert _widest(capsys, "hardware", name) <= WIDTH


def test_other_tables_fit(tmp_path: Path, capsys: Capture) -> None:
    """So are the lists, two models side by side, the rates, and mixes by all kinds of searches."""
    assert _widest(capsys, "hardware") <= WIDTH
    assert _widest(capsys, "layers") <= WIDTH
    assert _widest(capsys, "compare-models", str(MAESTRO), "--hardware", "cloud") <= WIDTH
    assert _widest(capsys, "bench", "--seconds", "0") <= WIDTH
    mix = ["run", "mobilenet_v3_large:block8_expand,ncf:predict", "--evaluations", "9", "--jobs", "1", "--quiet"]
    expression = ["--objective", "macs / runtime_cycles + energy_pj"]
    for number, more in enumerate((["--dry-run"], ["--objective", "energy,latency"], expression, ["--model", "maestro"])):
        assert _widest(capsys, *mix, *more, "--out", str(tmp_path / str(number))) <= WIDTH
