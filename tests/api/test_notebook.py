"""The notebook: its cells run as plain Python, and the outputs that it has stored are theirs."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from contextlib import redirect_stdout
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "map_a_network.ipynb"


def _outputs(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """What a cell shows, as a notebook stores it: its text, and the figures that it leaves open."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 takes time, and may be missing

    told = StringIO()
    with redirect_stdout(told):
        exec(compile(source, NOTEBOOK.name, "exec"), names)  # noqa: S102 the notebook's own cell
    text = told.getvalue().splitlines(keepends=True)
    outputs: list[dict[str, Any]] = [{"name": "stdout", "output_type": "stream", "text": text}] if text else []
    for number in plt.get_fignums():
        drawn = BytesIO()
        plt.figure(number).savefig(drawn, format="png", dpi=100)  # pyright: ignore[reportUnknownMemberType] no types
        data = {"image/png": b64encode(drawn.getvalue()).decode(), "text/plain": ["<Figure>"]}
        outputs.append({"data": data, "metadata": {}, "output_type": "display_data"})
    plt.close("all")
    return outputs


def test_the_notebook_runs_and_shows_what_it_has_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """From an empty folder all cells run in their order, and give the texts and as many pictures as the notebook holds."""
    pytest.importorskip("matplotlib", reason="an extra package is not installed").use("Agg")
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cells, names = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"], dict[str, Any]()
    found = [_outputs("".join(cell["source"]), names) for cell in cells]
    if request.config.getoption("--update-golden"):
        for number, (cell, outputs) in enumerate(zip(cells, found, strict=True), start=1):
            cell |= {"execution_count": number, "outputs": outputs}
        NOTEBOOK.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for cell, outputs in zip(cells, found, strict=True):
        assert [each.get("text") for each in outputs] == [each.get("text") for each in cell["outputs"]]
        pictures = [each["data"]["image/png"] for each in cell["outputs"] if "data" in each]
        assert all(b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
