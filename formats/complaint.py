"""What pydantic finds wrong with the keys of a file, as one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from mapsearch.model.errors import InputError, did_you_mean, show

_Model = TypeVar("_Model", bound=BaseModel)

_LAWS = {
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "float_type": "must be a number, such as 1000 or 1.0e+3",
    "finite_number": "must be finite",
    "string_type": "must be text",
    "string_pattern_mismatch": "must be one line of text without blanks at its ends",
    "invalid_key": "must be a text key",
    "list_type": "must be a list, such as [offchip]",
}


def validate(model: type[_Model], data: Mapping[str, object], where: str) -> _Model:
    """The keys as a model of nested models; InputError with the first problem: where, the law, the value."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # A mistyped key is often also a missing one: name the typo.
        first = min(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden")
    raise InputError(f"{where}: {_complaint(model, first['type'], first['loc'], first['input'], first['msg'])}")


def _complaint(model: type[BaseModel], kind: str, place: tuple[int | str, ...], value: object, text: str) -> str:
    path = ".".join(str(part) for part in place)
    if kind in ("extra_forbidden", "missing"):
        keys = list(_keys_at(model, place[:-1]))
        if kind == "missing":
            needed = [key for key, field in _keys_at(model, place[:-1]).items() if field.is_required()]
            return f"{path} is missing; needed are {', '.join(needed)}"
        return f"unknown key {path}{did_you_mean(str(place[-1]), keys)}; the keys are {', '.join(keys)}"
    if kind == "model_type":
        return f"{path} must be a mapping with the keys {', '.join(_keys_at(model, place))}, got {show(value)}"
    return f"{path} {_LAWS.get(kind, text.replace('Input should be', 'must be'))}, got {show(value)}"


def _keys_at(model: type[BaseModel], place: tuple[int | str, ...]) -> Mapping[str, FieldInfo]:
    for part in place:
        model = cast("type[BaseModel]", model.model_fields[str(part)].annotation)
    return model.model_fields
