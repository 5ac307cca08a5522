"""The networks that a command line names: a layer set, some of its layers, or a mix of several networks for one machine.

A network is SET, a layer set, or SET:NAME,NAME, some of its layers. SET:NAME=VALUE chooses what a file leaves open, such as the
size of a symbolic dim. A mix is several networks with commas between, each with a weight, the number of its runs:
`mobilenet_v2,resnet18:2,vgg16:conv1_2`. Digits after a colon are a weight, else a layer's name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mapsearch.formats.yaml.layer_sets import Entry, LayerSet, UniqueLayer, load_layer_set, merge, names, yaml_text
from mapsearch.model.errors import InputError, short, show
from mapsearch.model.layer import Layer

MAX_WEIGHT = 10_000

# A layer set by name or path, a text of several as `parse_mix` takes it, or a mapping from names or paths to weights.
MixSource = str | os.PathLike[str] | Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NetworkSource:
    """A layer set by its name or path.

    names: of some of its layers; empty for all. choices: of what its file leaves open, each NAME=VALUE.
    """

    layer_set: str
    names: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> NetworkSource:
        """The source of a text SET or SET:WORD,WORD; where a path may have colons, the longest path that is a file counts."""
        layer_set, colon, found = ("", "", "") if _is_file(text) else text.rpartition(":")
        if not colon:
            return cls(text)
        return cls(layer_set).with_words(found.split(","))

    def with_words(self, words: Iterable[str]) -> NetworkSource:
        """The source with these words after its colon too: choices, which have a `=`, and names of layers."""
        stripped = [word.strip() for word in words]
        names = tuple(word for word in stripped if word and "=" not in word)
        return replace(self, names=self.names + names, choices=self.choices + tuple(word for word in stripped if "=" in word))

    @property
    def text(self) -> str:
        """The text that `of` takes."""
        words = ",".join((*self.choices, *self.names))
        return f"{self.layer_set}:{words}" if words else self.layer_set

    def found_from(self, folder: Path) -> NetworkSource:
        """The source with its path made absolute."""
        known = self.layer_set in names() or not (_is_file(self.layer_set) or re.search(r"[./\\]", self.layer_set))
        return self if known else replace(self, layer_set=str((folder / self.layer_set).resolve()))

    @property
    def chosen(self) -> dict[str, str]:
        """The choices by name; InputError where one stands twice."""
        pairs = [choice.partition("=")[::2] for choice in self.choices]
        chosen = {name.strip(): value.strip() for name, value in pairs}
        if len(chosen) < len(pairs):
            raise InputError(f"layer set {short(self.text)}: each choice must stand once, got {show(','.join(self.choices))}")
        return chosen

    def yaml_text(self) -> str:
        """The text of its YAML file, one made from files of another format where need be; of all its layers."""
        if self.names:
            raise InputError(f"a layer set's file has all of its layers; leave out {short(','.join(self.names))}")
        return yaml_text(_path_or_name(self.layer_set), self.chosen)

    def load(self, *, as_listed: bool = False) -> LayerSet:
        """The layers; InputError where there is no such set, or it has no layer of a name."""
        layers = load_layer_set(_path_or_name(self.layer_set), as_listed=as_listed, choices=self.chosen)
        return layers.only(self.names) if self.names else layers


@dataclass(frozen=True, slots=True)
class Member:
    """A network that runs `weight` times."""

    source: NetworkSource
    weight: int
    layers: LayerSet


@dataclass(frozen=True, slots=True)
class Mix:
    """One or more networks with different names."""

    members: tuple[Member, ...]

    @property
    def name(self) -> str:
        """The networks' names, each with its weight where that is more than 1."""
        return "+".join(f"{each.layers.name}{f'x{each.weight}' if each.weight > 1 else ''}" for each in self.members)

    @property
    def unique(self) -> tuple[UniqueLayer, ...]:
        """The layers of all networks, those of equal shape as one; in a mix of several, names begin with the network's name."""
        return merge([[self._entry(member, entry) for entry in member.layers.entries] for member in self.members])

    def of_batch(self, inputs: int) -> Mix:
        """The networks on so many times their inputs at once."""
        return Mix(tuple(replace(each, layers=each.layers.of_batch(inputs)) for each in self.members))

    @property
    def sources(self) -> dict[str, int]:
        """The weights by network, paths made absolute: the mix can be loaded from it again."""
        return {each.source.found_from(Path()).text: each.weight for each in self.members}

    def _entry(self, member: Member, entry: Entry) -> Entry:
        name = entry.layer.name if len(self.members) == 1 else f"{member.layers.name}/{entry.layer.name}"
        return replace(entry, layer=replace(entry.layer, name=name), count=entry.count * member.weight)


def mix_of(layer: Layer) -> Mix:
    """A network of one layer, which runs once."""
    layers = LayerSet(layer.name, layer.name, "", (Entry(layer, 1, "parameters", 1),), (), {}, None)
    return Mix((Member(NetworkSource(layer.name), 1, layers),))


def load_mix(source: MixSource, *, as_listed: bool = False) -> Mix:
    """The networks of a mix, in its order; as_listed: see `layer_sets.load_layer_set`.

    Raises InputError where a part is no network, a weight is none, or a network stands twice.
    """
    members: dict[str, Member] = {}
    for text, weight in _weights(source).items():
        network = NetworkSource(os.fspath(source)) if isinstance(source, os.PathLike) else NetworkSource.of(text)
        layers = network.load(as_listed=as_listed)
        if layers.name in members:
            other = members[layers.name].source.text
            raise InputError(f"two layer sets are called {layers.name}, {other} and {text}; give one of the files another name")
        members[layers.name] = Member(network, weight, layers)
    return Mix(tuple(members.values()))


def load_network(text: str) -> LayerSet:
    """The layers of one network, SET or SET:NAME,NAME; InputError where there are several."""
    first, *others = load_mix(text).members
    if others or first.weight > 1:
        raise InputError(f"one layer set must be named here, without a weight, got {show(text)}")
    return first.layers


def with_choices(text: str, choices: Sequence[str] | None) -> str:
    """The text of a network with these choices, each NAME=VALUE; InputError where it is a mix of several networks."""
    for choice in choices or ():
        if not re.fullmatch(r"[^=,]+=[^=,]+", choice):
            raise InputError(f"a dim's size must be given as NAME=SIZE, such as batch=1, got {show(choice)}")
    if not choices:
        return text
    first, *others = parse_mix(text).items()
    if others or first[1] > 1:
        raise InputError(f"the dims of one of several networks stand after its name, such as model.onnx:{choices[0]}")
    return NetworkSource.of(first[0]).with_words(choices).text


def parse_mix(text: str) -> dict[str, int]:
    """The weights by network of a text such as `mobilenet_v2,resnet18:2`; a weight of 1 may be left out.

    Where a path may have commas or colons, the longest path that is a file counts.
    """
    weights: dict[NetworkSource, int] = {}
    last = NetworkSource("")
    for part in _parts(text):
        if (last.names or last.choices) and _is_another_word(part, last):
            weights[last.with_words([part])] = weights.pop(last)
            last = next(reversed(weights))
            continue
        last, weight = _weighted(part)
        if not last.layer_set and text:
            raise InputError(f"a layer set must stand at both sides of a comma and before a colon, got {show(text)}")
        if last in weights:
            raise InputError(
                f"layer set {short(last.text)} stands twice in {show(text)}; name it once, with a weight such as {last.text}:2"
            )
        weights[last] = weight
    return {network.text: weight for network, weight in weights.items()}


def _weighted(part: str) -> tuple[NetworkSource, int]:
    source, colon, after = ("", "", "") if _is_file(part) else part.rpartition(":")
    if not colon:
        return NetworkSource(part), 1
    if re.fullmatch(r"[-+.0-9]*", after):
        return NetworkSource(source), _checked(source, int(after) if after.isdigit() and len(after) < 10 else after)
    return NetworkSource(source).with_words([after]), 1


def _is_another_word(part: str, last: NetworkSource) -> bool:
    """Whether the part after "SET:WORD," is another choice or the name of another layer, not a network."""
    if re.fullmatch(r"[^:/\\]*=.*", part):
        return True
    if part in (entry.layer.name for entry in replace(last, names=()).load().entries):
        return True
    return part not in ("", *names()) and not _is_file(part) and not re.search(r"[.:/\\]", part)


def _parts(text: str) -> Iterator[str]:
    """The parts of a text between commas, except commas within the path of a file."""
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
        raise InputError(f"layer set {short(source)}: its weight must be a whole number from 1 to {MAX_WEIGHT}, got {show(weight)}")
    return weight


def _path_or_name(source: str) -> str | Path:
    """The source, as a Path if it is a file with a comma or a colon, since without a suffix it would count as a name."""
    return Path(source) if ("," in source or ":" in source) and _is_file(source) else source
