"""Another tool's program as a process of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from mapsearch.model.errors import InputError


def run_in(
    folder: Path, command: Sequence[str], where: str, timeout_seconds: float, environment: Mapping[str, str] | None = None
) -> str:
    """What a program prints that runs in a folder; InputError, which begins with `where`, where it cannot, takes too long or fails.

    environment: variables besides our own.
    """
    variables = {**os.environ, **(environment or {})}
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=timeout_seconds, check=False, env=variables)  # noqa: S603 the user names the program
    except subprocess.TimeoutExpired:
        raise InputError(f"{where}: no answer in {timeout_seconds:g} s; give it longer by --timeout") from None
    except OSError as error:
        raise InputError(f"{command[0]}: cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        how = f"was ended by signal {-done.returncode}" if done.returncode < 0 else f"ended with code {done.returncode}"
        raise InputError(f"{where}: the program {how}" + (f": {said[-1][:200]}" if said else ""))
    return done.stdout.decode(errors="replace")


def run_python(
    folder: Path, python: Path, program: str, files: Sequence[str], package: str, where: str, timeout_seconds: float
) -> str:
    """The same of a program in Python that needs a package, whose name in the registry is `package`."""
    try:
        return run_in(folder, [str(python), "-c", program, *files], where, timeout_seconds)
    except InputError as error:
        if "ModuleNotFoundError: No module named" in str(error):
            raise InputError(
                f"{python}: has not all of the package {package}; give a Python that has it by --binary, or pip install {package}"
            ) from None
        raise
