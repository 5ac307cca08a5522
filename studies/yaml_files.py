"""Files in: shipped ones by name or a user's by path, YAML as plain data, and what is wrong with either as one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from mapsearch.model.errors import InputError, did_you_mean

_DATA = files("mapsearch.studies") / "data"
_Model = TypeVar("_Model", bound=BaseModel)


def shipped(kind: str) -> list[str]:
    """The names of the shipped files of a kind, which is a folder of `data` (errors call one of `layer_sets` a layer set)."""
    return sorted(entry.name.removesuffix(".yaml") for entry in (_DATA / kind).iterdir())


def read_named(kind: str, source: object, folder: Path) -> tuple[str, str]:
    """The text of a shipped name or of a path taken from `folder`, and how errors call it; source: as a user gave it.

    A text is a path where it has a suffix or a slash, else a name. Raises InputError.
    """
    names, word = shipped(kind), kind.removesuffix("s").replace("_", " ")
    if not isinstance(source, str | Path):
        raise InputError(f"a {word} must be a name, one of {', '.join(names)}, or a file's path, got {show(source)}")
    if isinstance(source, str):
        if source in names:
            return (_DATA / kind / f"{source}.yaml").read_text(encoding="utf-8"), f"{word} {source}"
        if not re.search(r"[./\\]", source):
            hint = did_you_mean(source, names)
            raise InputError(f"no {word} is called {show(source)}{hint}; there are {', '.join(names)}, or give a file's path")
    path = folder / source
    return read_text(path, f"{word} file", f"; shipped are {', '.join(names)}"), str(path)


def read_text(path: Path, what: str, hint: str = "") -> str:
    """The text of a user's file; `what` names its kind and `hint` ends the text of the InputError where it is unreadable."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the {what} must be readable: {error.strerror}{hint}") from None
    except ValueError as error:
        raise InputError(f"{str(path)!r}: a path must be UTF-8 text without zero bytes: {error}") from None
    return decode(data, str(path), what)


def decode(data: bytes, where: str, what: str) -> str:
    """The text of a file's bytes; raises InputError unless they are UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{where}: the {what} must be UTF-8 text, got byte {byte:#04x} at offset {error.start}") from None


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping, where YAML's usual loader would keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 PyYAML's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value} stands twice; remove one", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def parse_mapping(text: str, where: str, example: str) -> dict[str, object]:
    """The keys of a YAML text; `example` shows one in the InputError where there are none."""
    try:
        data: object = yaml.load(text, _UniqueKeys)  # noqa: S506 a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise InputError(f"{where}: must be YAML: {line}{error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: must be YAML: {' '.join(str(error).split())}") from None
    if data is None:
        raise InputError(f"{where}: must state at least one key, such as `{example}`, but is empty")
    if not isinstance(data, dict):
        raise InputError(f"{where}: must be a mapping of keys such as `{example}`, got {show(data)}")
    return cast("dict[str, object]", data)


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
_repr = Repr()
_repr.maxstring = _repr.maxlong = _repr.maxother = 60


def show(value: object) -> str:
    """A value in an error's text: one line, shortened."""
    text = " ".join(_repr.repr(value).split())
    return text if len(text) <= 200 else f"{text[:200]}..."


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
