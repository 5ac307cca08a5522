"""Pydantic's errors of a file's keys as one line: where, the law, the value, what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from pydantic_core import ErrorDetails

from mapsearch.model.errors import InputError, did_you_mean, short, show

_T = TypeVar("_T")
_Place = tuple[int | str, ...]
_Schema = Mapping[str, Any]

# Pydantic's error types of an unknown key, in a model and in a dataclass.
_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
# The kind that a value must be of, by pydantic's error types for values of a wrong kind (`one_of` is ours).
_FORMS = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number, such as 1000 or 1.0e+3"),
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "literal_error": "{expected}",
    "one_of": "one of {names}",
}
# The laws that values of the right kind may break, by pydantic's error types.
_LAWS = {
    "finite_number": "must be finite",
    "greater_than": "must be > {gt}",
    "greater_than_equal": "must be >= {ge}",
    "less_than": "must be < {lt}",
    "less_than_equal": "must be <= {le}",
    "string_too_short": "must not be empty",
    "too_short": "must have at least one item",
    "invalid_key": "must be a text key",
    "union_tag_invalid": "type must be one of {expected_tags}",
}


def checked(adapter: TypeAdapter[_T], data: object, where: str) -> _T:
    """The data as the adapter's type; InputError, which begins with `where`, with the first problem.

    The error names an item of a top-level list as `layer 3 (conv1)`, counted from 1, or from 0 for levels, as everywhere. It gives
    the field's description in place of a pattern, and the field's example, if any, beside its law.
    """
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    # Names and keys of a wrong file may hold anything, line ends too.
    raise InputError(" ".join(f"{where}: {_complaint(adapter, errors, data)}".split()))


def _complaint(adapter: TypeAdapter[Any], errors: Sequence[ErrorDetails], data: object) -> str:
    same = _of_one_value(errors, data)
    first = same[0]
    place = tuple(part for part, is_key in zip(first["loc"], _are_keys(first, data), strict=True) if is_key)
    path = _path(place, data)
    kind, value = first["type"], cast("object", first["input"])
    if kind in ("missing", *_UNKNOWN):
        schema = _schema_at(adapter, first["loc"][:-1])
        keys = list(schema.get("properties", ()))
        if kind == "missing":
            return f"{path} is missing; needed are {', '.join(schema.get('required', ()))}"
        row, _, key = path.rpartition(": ")
        return f"{row}{': ' if row else ''}unknown key {key}{did_you_mean(str(place[-1]), keys)}; the keys are {', '.join(keys)}"
    if kind == "union_tag_not_found":
        return f"{path}type is missing"
    if kind == "union_tag_invalid":
        value = first.get("ctx", {})["tag"]
    forms = [_form(adapter, one) for one in same if one["type"] in _FORMS]
    law = f"must be {_either(forms)}" if forms else _law(adapter, first)
    names = [name for one in same for name in _names(one)]
    hint = did_you_mean(value, names) if isinstance(value, str) else ""
    return f"{path} {law}, got {show(value)}{hint}"


def _are_keys(error: ErrorDetails, data: object) -> Iterator[bool]:
    """For each part of an error's place, whether it leads into the data; other parts are pydantic's names of union members."""
    last = len(error["loc"]) - 1
    for index, part in enumerate(error["loc"]):
        if isinstance(data, Mapping) and part in data:
            data = cast("Mapping[object, object]", data)[part]
        elif isinstance(data, list) and isinstance(part, int):
            data = cast("list[object]", data)[part]
        else:
            yield error["type"] == "missing" and index == last
            continue
        yield True


def _of_one_value(errors: Sequence[ErrorDetails], data: object, unions: int = 0) -> Sequence[ErrorDetails]:
    """The first error, or, where a value is of no kind that a union takes, one for each kind; unions: the ones already passed.

    A mistyped key is often reported as missing too: the typo comes first.
    """
    first = min(errors, key=lambda one: one["type"] not in _UNKNOWN)
    members = [index for index, is_key in enumerate(_are_keys(first, data)) if not is_key][unions:]
    if not members:
        return [first]
    at = members[0]
    same = [one for one in errors if one["loc"][:at] == first["loc"][:at] and len(one["loc"]) > at]
    taken = [one for one in same if len(one["loc"]) > at + 1 or one["type"] not in _FORMS]
    return _of_one_value(taken, data, unions + 1) if taken else same


def _path(place: _Place, data: object) -> str:
    """The place as people read it: the item of a top-level list, then the keys with dots between."""
    match place:
        case (str() as rows, int() as index, *keys) if rows.endswith("s"):
            row = cast("Mapping[str, Sequence[object]]", data)[rows][index]
            name = cast("Mapping[str, object]", row).get("name") if isinstance(row, Mapping) else None
            shown = f" ({short(name)})" if isinstance(name, str) else ""
            return f"{rows.removesuffix('s')} {index + (rows != 'levels')}{shown}: {'.'.join(map(short, keys))}"
        case _:
            return ".".join(map(short, place))


def _form(adapter: TypeAdapter[Any], error: ErrorDetails) -> str:
    """The form that a value must have."""
    schema = _schema_at(adapter, error["loc"])
    form = _FORMS[error["type"]].format(**error.get("ctx", {}))
    if schema.get("properties"):
        return f"{form} with the keys {', '.join(schema['properties'])}"
    examples = schema.get("examples")
    return f"{form} such as {examples[0]}" if examples else form


def _law(adapter: TypeAdapter[Any], error: ErrorDetails) -> str:
    if error["type"] == "string_pattern_mismatch":
        return f"must be {_schema_at(adapter, error['loc'])['description']}"
    law = _LAWS.get(error["type"], error["msg"].replace("Input should be", "must be"))
    return law.format(**error.get("ctx", {}))


def _names(error: ErrorDetails) -> list[str]:
    """The words that are allowed there."""
    context = error.get("ctx", {})
    if error["type"] == "one_of":
        return str(context["names"]).split(", ")
    return re.findall(r"'([^']*)'", str(context.get("expected", context.get("expected_tags", ""))))


def _either(forms: Sequence[str]) -> str:
    return " or ".join([", ".join(forms[:-1]), forms[-1]]) if len(forms) > 1 else forms[0]


class _Quiet(GenerateJsonSchema):
    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """Give no warning: defaults make no difference here."""


def _schema_at(adapter: TypeAdapter[Any], place: _Place) -> _Schema:
    """The JSON schema at a place; {} where any value, or one of several kinds, is allowed."""
    root = adapter.json_schema(schema_generator=_Quiet)
    found = list(_members(root, root))
    for part in place:
        found = [member for schema in found for inner in _inside(schema, part) for member in _members(inner, root)]
    known = [schema for schema in found if schema.get("type") != "null"]
    return known[0] if len(known) == 1 else {}


def _members(schema: _Schema, root: _Schema) -> Iterator[_Schema]:
    """The schema itself, or the members if it is a union."""
    if "$ref" in schema:
        yield from _members(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    elif "anyOf" in schema or "oneOf" in schema:
        for each in schema.get("anyOf", schema.get("oneOf", ())):
            yield from _members(each, root)
    else:
        yield schema


def _inside(schema: _Schema, part: int | str) -> Iterator[_Schema]:
    """The schemas at a key, at an index, or in the union member that pydantic gives this name."""
    properties = schema.get("properties", {})
    if part in properties:
        yield properties[part]
    elif isinstance(part, int) and "items" in schema:
        yield schema["items"]
    elif isinstance(schema.get("additionalProperties"), dict):
        yield schema["additionalProperties"]
    elif part in properties.get("type", {}).get("enum", [properties.get("type", {}).get("const")]):
        yield schema  # a union member that states its type
    elif re.search(rf"\b{schema.get('title', schema.get('type'))}\b", str(part).replace("list[", "array[")):
        yield schema  # a union member that is named by its class or by its kind
