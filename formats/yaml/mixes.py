"""Several networks for one machine: whose layers they are, how often each network runs, and all their layers as one list."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mapsearch.formats.yaml.layer_sets import Entry, LayerSet, UniqueLayer, load_layer_set, merge, names
from mapsearch.model.errors import InputError, show

MAX_WEIGHT = 10_000

# One layer set, by name or path, or a text of several as `parse_mix` takes it, or their weights by name or path.
MixSource = str | os.PathLike[str] | Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Member:
    """A network that runs `weight` times; `source` is the name or the path that it was loaded by."""

    source: str
    weight: int
    layers: LayerSet


@dataclass(frozen=True, slots=True)
class Mix:
    """One network at least, no two of one name."""

    members: tuple[Member, ...]

    @property
    def name(self) -> str:
        """The networks' names, each with how often it runs where that is more than once."""
        return "+".join(f"{each.layers.name}{f'x{each.weight}' if each.weight > 1 else ''}" for each in self.members)

    @property
    def unique(self) -> tuple[UniqueLayer, ...]:
        """The layers of all networks, those of equal shape as one; of several networks, names begin with the network's."""
        return merge([[self._entry(member, entry) for entry in member.layers.entries] for member in self.members])

    @property
    def sources(self) -> dict[str, int]:
        """The weights by shipped name or full path, from which the mix can be loaded again."""
        known = names()
        return {each.source if each.source in known else str(Path(each.source).resolve()): each.weight for each in self.members}

    def _entry(self, member: Member, entry: Entry) -> Entry:
        name = entry.layer.name if len(self.members) == 1 else f"{member.layers.name}/{entry.layer.name}"
        return replace(entry, layer=replace(entry.layer, name=name), count=entry.count * member.weight)


def load_mix(source: MixSource, *, as_listed: bool = False) -> Mix:
    """The networks of a mix, in its order; `as_listed` as `layer_sets.load_layer_set` takes it.

    Raises InputError where a part is no layer set or no weight, or a network stands there twice.
    """
    weights = _weights(source)
    members: dict[str, Member] = {}
    for each, weight in weights.items():
        layers = load_layer_set(_path_or_name(each), as_listed=as_listed)
        if layers.name in members:
            other = members[layers.name].source
            raise InputError(f"two layer sets are called {layers.name}, {other} and {each}; give one of the files another name")
        members[layers.name] = Member(each, weight, layers)
    return Mix(tuple(members.values()))


def parse_mix(text: str) -> dict[str, int]:
    """The weights by layer set of a text such as `mobilenet_v2,resnet18:2`, where 1 need not be said.

    Where a file's path has commas or colons, the longest that there is counts.
    """
    weights: dict[str, int] = {}
    for part in _parts(text):
        source, colon, weight = ("", "", "") if _is_file(part) else part.rpartition(":")
        if not colon:
            source, weight = part, "1"
        if not source and text:
            raise InputError(f"a layer set must stand at both sides of a comma and before a colon, got {show(text)}")
        if source in weights:
            raise InputError(f"layer set {source} stands twice in {show(text)}; name it once, with a weight such as {source}:2")
        weights[source] = _checked(source, int(weight) if weight.isascii() and weight.isdigit() and len(weight) < 10 else weight)
    return weights


def _parts(text: str) -> Iterator[str]:
    """What stands between the commas, less those in the path of a file."""
    pieces = text.split(",")
    while pieces:
        ends = [end for end in range(2, len(pieces) + 1) if _is_weighted_file(",".join(pieces[:end]))]
        end = max(ends, default=1)
        yield ",".join(pieces[:end]).strip()
        pieces = pieces[end:]


def _is_weighted_file(text: str) -> bool:
    source, _, weight = text.rpartition(":")
    return _is_file(text) or ("," not in weight and _is_file(source))


def _is_file(text: str) -> bool:
    return os.path.isfile(text)  # noqa: PTH113 Path.is_file raises where the text is too long for a path


def _weights(source: MixSource) -> dict[str, int]:
    match source:
        case str():
            return parse_mix(source)
        case Mapping():
            if not source:
                raise InputError("a mix must hold at least one layer set, got none")
            return {str(each): _checked(str(each), weight) for each, weight in source.items()}
        case os.PathLike():
            return {os.fspath(source): 1}
        case _:  # a caller from Python may give anything
            raise InputError(f"a layer set must be a name, a file's path or a mapping of weights, got {show(source)}")


def _checked(source: str, weight: object) -> int:
    if type(weight) is not int or not 1 <= weight <= MAX_WEIGHT:  # True is an int too
        raise InputError(f"layer set {source}: its weight must be a whole number from 1 to {MAX_WEIGHT}, got {show(weight)}")
    return weight


def _path_or_name(source: str) -> str | Path:
    """A file whose path has a comma or a colon is no name, even without a suffix."""
    return Path(source) if ("," in source or ":" in source) and _is_file(source) else source
