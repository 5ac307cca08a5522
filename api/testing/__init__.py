"""Conformance suites for those who write a part of their own, to subclass in a test file; only they import pytest."""

import pytest

pytest.register_assert_rewrite("mapsearch.testing.formats")  # so that a failure tells the values

from mapsearch.testing.formats import FormatContract  # noqa: E402 after it is registered

__all__ = ["FormatContract"]
