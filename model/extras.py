"""Packages that only some features need, and how to install them."""

from __future__ import annotations

from importlib.util import find_spec

from mapsearch.model.errors import InputError


def require(what: str, extra: str, *packages: str) -> None:
    """Raise InputError where `what` needs packages that are not installed; extra: the name in pyproject.toml that brings them."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise InputError(
            f"{what} needs {' and '.join(missing)}, not installed here; pip install {' '.join(missing)}, or in the folder of "
            f"mapsearch's sources: pip install '.[{extra}]'"
        )
