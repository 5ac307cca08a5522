"""Runs another tool's program on files in a folder, and tells plainly how it failed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from mapsearch.model.errors import InputError


def run_tool(command: Sequence[str], folder: Path, layer: str, timeout_seconds: float) -> str:
    """What a program prints when it is run in a folder, for a layer.

    Raises InputError where it cannot be run, takes longer than `timeout_seconds`, or fails.
    """
    where = f"{command[0]}: layer {layer}"
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=timeout_seconds, check=False)  # noqa: S603 the user names the program
    except subprocess.TimeoutExpired:
        raise InputError(f"{where}: no answer in {timeout_seconds:g} s; give it longer by --timeout") from None
    except OSError as error:
        raise InputError(f"{command[0]}: cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        how = f"was ended by signal {-done.returncode}" if done.returncode < 0 else f"ended with code {done.returncode}"
        raise InputError(f"{where}: the program {how}" + (f": {said[-1][:200]}" if said else ""))
    return done.stdout.decode(errors="replace")
