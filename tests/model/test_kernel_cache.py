"""What compiled kernels are kept by: their content, which is the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys

# Prints each kernel of the package with its digest.
PROGRAM = """
import importlib, pkgutil
import mapsearch.model, mapsearch.search, mapsearch.spaces
from mapsearch.model.kernel_cache import _digest
for package in (mapsearch.model, mapsearch.spaces, mapsearch.search):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        found = importlib.import_module(module.name)
        for name, value in sorted(vars(found).items()):
            if hasattr(value, "py_func"):
                print(module.name, name, _digest(value))
"""


def _digests(hash_seed: int) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    return subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True, text=True).stdout  # noqa: S603 our own


def test_digests_are_the_same_in_every_process() -> None:
    """Otherwise each start would compile anew; neither addresses nor the order of sets may count."""
    first = _digests(1)
    assert "completion open_parts" in first
    assert first.splitlines() == _digests(2).splitlines()
