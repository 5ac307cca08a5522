"""What a user can get wrong, as exceptions whose text is one line: where, what law, what value, what would be right."""

from __future__ import annotations


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
