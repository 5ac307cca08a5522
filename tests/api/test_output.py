"""What tables show of long lists."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mapsearch.output import SHOWN, spread


@given(st.integers(0, 1000))
def test_a_long_list_is_shown_from_end_to_end(count: int) -> None:
    """A short list is shown whole; of a long one different rows in order, as many as fit, the first and the last among them."""
    shown = spread(range(count))
    assert len(shown) == min(SHOWN, count)
    assert shown == sorted(set(shown))
    assert shown[:1] + shown[-1:] == ([0, count - 1] if count else [])
