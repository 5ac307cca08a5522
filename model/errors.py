"""What a user can get wrong, as exceptions whose text is one line: where, what law, what value, what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr


class InputError(ValueError):
    """An input that breaks a law; the message names the place, the law and the value."""


class LayerError(InputError):
    """A layer whose shape breaks a law."""


class HardwareError(InputError):
    """A hardware or technology description that breaks a law."""


class DirectiveError(InputError):
    """Directive text that does not parse."""


class MappingError(InputError):
    """A mapping that is not legal for its layer on its hardware."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of an error's text: the nearest known word, if one is near; upper and lower case count as equal."""
    folded = {each.casefold(): each for each in known}
    if len(word) > 3 * max(map(len, folded), default=0):  # too long to be near, and maybe too long to compare
        return ""
    near = get_close_matches(word.casefold(), folded, n=1)
    return f"; did you mean {folded[near[0]]}?" if near else ""


_repr = Repr()
_repr.maxstring = _repr.maxlong = _repr.maxother = 60


def show(value: object) -> str:
    """A value in an error's text: one line, shortened."""
    text = " ".join(_repr.repr(value).split())
    return text if len(text) <= 200 else f"{text[:200]}..."


def short(word: object) -> str:
    """A user's word in an error's text: as it is, unless it is long."""
    text = str(word)
    return text if len(text) <= 60 else show(text)
