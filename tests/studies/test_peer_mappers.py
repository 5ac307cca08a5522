"""The table of other tools' mappers in docs/search.md is what its rows say, and they are what the exact model says."""

from __future__ import annotations

from pathlib import Path

import pytest
from peer_mappers import HEADING, OURS, PAGE, PEERS, ROWS, PeerRow, edp, write_section
from records import read_rows

from mapsearch.formats.yaml.hardware import load_hardware

MEASURED = [row for row in read_rows(ROWS, PeerRow) if row.mapping]


def test_no_tool_undercuts_what_is_proven() -> None:
    """Of each layer the mapping of no tool is better in our model than our optimum; several tools have rows."""
    optima = {row.layer: row.edp for row in MEASURED if row.tool == OURS}
    assert len(optima) == 4
    assert all(row.edp >= optima[row.layer] for row in MEASURED)
    assert len({row.tool for row in MEASURED}) > 1


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: f"{row.tool}-{row.layer}")
def test_mappings_cost_what_their_rows_say(row: PeerRow) -> None:
    """The EDP of a row is that of its mapping."""
    assert edp(row.mapping, load_hardware(str(PEERS / "machine.yaml"))) == pytest.approx(row.edp, rel=1e-9)


def test_the_section_is_what_the_rows_say(tmp_path: Path) -> None:
    """Made again, the page is as it is; its other sections stay, those after it too."""
    page = tmp_path / "search.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    write_section(read_rows(ROWS, PeerRow), page)
    assert page.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")
    assert HEADING in page.read_text(encoding="utf-8")
