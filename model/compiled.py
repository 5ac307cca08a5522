"""How every kernel is compiled: once, cached beside the package, without the interpreter's lock."""

from __future__ import annotations

from typing import Any

# error_model="numpy": no check for division by zero (sizes are at least 1).
OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
