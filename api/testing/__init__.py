"""Conformance suites for those who write a part of their own, to subclass in a test file; only they import pytest."""

import pytest

pytest.register_assert_rewrite(
    *(f"mapsearch.testing.{part}" for part in ("cost_models", "engines", "formats", "searchers"))
)  # failures tell values

from mapsearch.testing.cost_models import CostModelContract  # noqa: E402 after it is registered
from mapsearch.testing.engines import EngineContract  # noqa: E402 likewise
from mapsearch.testing.formats import FormatContract  # noqa: E402 likewise
from mapsearch.testing.searchers import SearcherContract  # noqa: E402 likewise

__all__ = ["CostModelContract", "EngineContract", "FormatContract", "SearcherContract"]
