"""Results as plain data: frozen dataclasses that become the dicts and lists that JSON files hold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, cast


class Plain:
    """A frozen dataclass that is written as a JSON object, a key for each field in their order.

    `optional` names the fields that are left out of the object where they are None.
    """

    __slots__ = ()
    optional: ClassVar[frozenset[str]] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data: dicts, lists, numbers, texts and None."""
        values = {field.name: getattr(self, field.name) for field in fields(cast("Any", self))}
        return {key: plain(value) for key, value in values.items() if value is not None or key not in self.optional}

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 as plain data has it
        """The plain data under a key, as the dicts of version 0.1 had it; KeyError where there is none."""
        warnings.warn(
            f"results[{key!r}] will go after version 0.1; use the attribute results.{key} or results.to_dict()",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.to_dict()[key]


def plain(value: Any) -> Any:  # noqa: ANN401 whatever a result holds
    """A result, or whatever it holds, as plain data."""
    match value:
        case Plain():
            return value.to_dict()
        case Mapping():
            return {key: plain(each) for key, each in cast("Mapping[str, Any]", value).items()}
        case list() | tuple():
            return [plain(each) for each in cast("tuple[Any, ...]", value)]
        case _:
            return value
