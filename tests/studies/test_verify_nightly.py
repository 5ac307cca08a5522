"""AccelForge and ZigZag themselves, from the package registry, count what is promised; run with -m nightly.

MAPSEARCH_ACCELFORGE_PYTHON and MAPSEARCH_ZIGZAG_PYTHON may name Pythons that have them; else they are installed for the session.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from peers import hardware_of, mapped_layer, peer_cases

from mapsearch.cli import main
from mapsearch.formats.directives import Network
from mapsearch.formats.mappings import load_network
from mapsearch.formats.registry import FORMATS
from mapsearch.model.errors import MappingError
from mapsearch.studies.compare import accelforge, zigzag
from mapsearch.studies.export import expressible

pytestmark = pytest.mark.nightly

CASES = peer_cases()
VERIFIERS = {"accelforge": accelforge.verify, "zigzag": zigzag.verify}
PACKAGES = {"accelforge": ("accelforge==1.0.467",), "zigzag": ("zigzag-dse==3.9.1", "six")}
NEEDED = {"accelforge": (3, 12), "zigzag": (3, 11)}
NETWORKS = ("mobilenet_v2", "resnet18", "bert_base")


def _runs(*command: str) -> bool:
    """Whether a command ends well."""
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 a Python, and pip in it


def _interpreter(needed: tuple[int, int]) -> str | None:
    """A Python of at least this version."""
    names = (sys.executable, *(f"python3.{minor}" for minor in range(needed[1], needed[1] + 4)))
    found = (path for path in map(shutil.which, names) if path is not None)
    return next((path for path in found if _runs(path, "-c", f"import sys; sys.exit(sys.version_info < {needed})")), None)


@pytest.fixture(scope="session", params=list(PACKAGES))
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A tool, and a Python that has it."""
    tool: str = request.param
    given = os.environ.get(f"MAPSEARCH_{tool.upper()}_PYTHON")
    if given:
        return tool, Path(given)
    interpreter = _interpreter(NEEDED[tool])
    if interpreter is None:
        pytest.skip(f"{tool} needs Python {'.'.join(map(str, NEEDED[tool]))} or newer, and there is none on the search path")
    folder = tmp_path_factory.mktemp(tool) / "venv"
    python = folder / "bin" / "python"
    assert _runs(interpreter, "-m", "venv", str(folder))
    assert _runs(str(python), "-m", "pip", "install", "-q", *PACKAGES[tool])
    return tool, python


def test_every_recorded_mapping_is_counted_as_promised(package: tuple[str, Path]) -> None:
    """Each count of each mapping that the tool can express is ours, or what its conventions make of ours."""
    tool, python = package
    compared = 0
    for name, case in CASES.items():
        hardware = hardware_of(case)
        mapped = mapped_layer(case)
        try:
            network = expressible(Network(name, (mapped,)), hardware, FORMATS[tool]).network
        except MappingError:
            continue
        compared += 1
        rows = VERIFIERS[tool](network, hardware, python, 120.0)
        assert [row for row in rows if not row.equal and not row.explained] == []
    assert compared == {"accelforge": 52, "zigzag": 54}[tool]


@pytest.mark.parametrize("name", NETWORKS)
def test_found_mappings_are_counted_as_promised(
    name: str, package: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All that a search for the tool finds is exported and counted as promised."""
    tool, python = package
    assert main(["run", name, "--for", tool, "--tiles", "divisors", "--quiet", "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    code = main(["verify", str(tmp_path / "run"), "--with", tool, "--binary", str(python), "--json", "--timeout", "120"])
    rows = json.loads(capsys.readouterr().out)
    assert [row for row in rows if not row["equal"] and not row["explained"]] == []
    layers = {mapped.layer.name for mapped in load_network(tmp_path / "run" / "network.m").layers}
    assert code == 0
    assert {row["layer"] for row in rows} == layers
