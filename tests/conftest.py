"""The --update-golden flag, the fixture that compares text with golden files, silence about compiling, signals, no cache."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
# Whichever test happens to be the first to compile would find the notice on standard error; test_start.py looks at it.
logging.getLogger("mapsearch.model.kernel_cache").disabled = True
# A background job or nohup starts the tests with these ignored, as then the product and its processes would.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# No folder, so that no test takes from another, or from the user's cache, what it is to search itself.
os.environ["MAPSEARCH_CACHE_DIR"] = os.devnull


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew, instead of comparing with them")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file at a path under tests/golden, or write it there."""

    def compare(path: str, text: str) -> None:
        file = GOLDEN / path
        if request.config.getoption("--update-golden"):
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")

    return compare
