"""YAML as plain data, and models of its keys."""

from __future__ import annotations

from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict

from mapsearch.model.errors import InputError, short, show


class Keys(BaseModel):
    """A mapping of a file: exactly these keys, of exactly these types."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping, where YAML's usual loader would keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 PyYAML's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {short(key.value)} stands twice; remove one", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


class _Untagged(_UniqueKeys):
    """Passes over tags of a file's own, such as !Memory."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        node = super().compose_node(parent, index)
        if node is not None and node.tag.startswith("!"):
            kind = "map" if isinstance(node, yaml.MappingNode) else "seq" if isinstance(node, yaml.SequenceNode) else "str"
            node.tag = f"tag:yaml.org,2002:{kind}"
        return node


def parse_yaml(text: str, where: str, *, tagged: bool = False) -> object:
    """The data of a YAML text; InputError, which begins with `where`, where it is none.

    tagged: whether tags of a file's own, such as !Memory, are passed over.
    """
    try:
        return cast("object", yaml.load(text, _Untagged if tagged else _UniqueKeys))  # noqa: S506 a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise InputError(f"{where}: must be YAML: {line}{error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: must be YAML: {' '.join(str(error).split())}") from None


def parse_mapping(text: str, where: str, example: str, *, tagged: bool = False) -> dict[str, object]:
    """The keys of a YAML text, see `parse_yaml`; InputError, which shows `example`, where there are none."""
    data = parse_yaml(text, where, tagged=tagged)
    if data is None:
        raise InputError(f"{where}: must state at least one key, such as `{example}`, but is empty")
    if not isinstance(data, dict):
        raise InputError(f"{where}: must be a mapping of keys such as `{example}`, got {show(data)}")
    return cast("dict[str, object]", data)
