"""Settings declared once: a dataclass gives each its default, law, help and option; checks and options are made from it.

The command line's help is made from these declarations, so neither this module nor theirs may import slow modules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from math import inf
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from mapsearch.model.errors import InputError, did_you_mean, show

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class SettingError(InputError):
    """Settings that break a law.

    sentence: the error's text, given a function that names the settings; the text of the error itself uses Python's keywords.
    """

    def __init__(self, sentence: Callable[[Callable[[str], str]], str]) -> None:
        super().__init__(sentence(str))
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Law:
    """A law on a setting's value.

    text: the law as the rest of a sentence that begins with the setting's name. read: gives the value of a word on the command
    line, or the word itself if it is no such value. choices: all legal words, where they are few.
    """

    text: str
    allows: Callable[[object], bool]
    read: Callable[[str], object] = str
    choices: tuple[str, ...] = ()

    def broken(self, value: object) -> str | None:
        """The rest of the sentence if the value breaks the law, else None."""
        if self.allows(value):
            return None
        return f"{self.text}, got {show(value)}{did_you_mean(str(value), self.choices)}"


def whole(least: int, most: float = 10**9) -> Law:
    """A whole number; most: infinite for no upper limit."""
    text = f"from {least} to {most}" if most < inf else f"of at least {least}"
    return Law(
        f"must be a whole number {text}", lambda value: type(value) is int and least <= value <= most, _number(int)
    )  # True is an int


def one_of(*choices: str) -> Law:
    """One of a few words."""
    return Law(f"must be one of {', '.join(choices)}", lambda value: value in choices, choices=choices)


def some_of(*choices: str) -> Law:
    """One or several of a few words, with commas between."""
    return Law(
        f"must be one or several of {', '.join(choices)}, with commas between",
        lambda value: isinstance(value, str) and set(value.split(",")) <= {*choices},
    )


def text(example: str) -> Law:
    """Any text."""
    return Law(f"must be a text, such as {example}", lambda value: isinstance(value, str))


def path(what: str) -> Law:
    """A text or path that names a file or folder."""
    return Law(f"must name {what}", lambda value: isinstance(value, str | PathLike) and str(cast("object", value)) != "")


def _number(kind: type[int | float]) -> Callable[[str], object]:
    def read(word: str) -> object:
        try:
            return kind(word)
        except ValueError:
            return word

    return read


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9


def _read_share(word: str) -> object:
    """A share of 1, or a percentage."""
    number = _number(float)(word.removesuffix("%"))
    return number / 100 if word.endswith("%") and isinstance(number, float) else number


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


SHARE = Law("must be from 0 to 1, or a percentage such as 1%", _is_share, _read_share)
SECONDS = Law("must be above 0 and below 1e9", _is_seconds, _number(float))


_ADDRESS = re.compile(r"(tcp|tls|ws|wss)://([\w-]{1,63}(\.[\w-]{1,63})*|\[[\da-fA-F:.]+\]):\d+", re.ASCII)


def is_cluster_file(cluster: object) -> TypeGuard[str | PathLike[str]]:
    """Whether the value names a cluster file, not an address or a client."""
    return isinstance(cluster, PathLike) or (isinstance(cluster, str) and cluster.endswith((".yaml", ".yml")))


def _is_cluster(value: object) -> bool:
    if is_cluster_file(value):
        return True
    return _ADDRESS.fullmatch(value) is not None if isinstance(value, str) else hasattr(value, "submit")


CLUSTER = Law(
    "must be the address of a Dask scheduler, such as tcp://host:8786, a cluster file, such as slurm.yaml, or in Python a client",
    _is_cluster,
)
FOLDER = path("a folder")
FLAG = Law("must be True or False", lambda value: isinstance(value, bool))
# Of inputs that are checked where they are loaded.
ANYTHING = Law("", lambda _: True)


@dataclass(frozen=True, slots=True)
class Setting:
    """A declared setting.

    options: its names on the command line; a positional argument has no dashes. metavar: the name of its value in the help.
    default: in Python; None, or an empty tuple for an option that may be repeated, means that it was not given.
    """

    name: str
    default: Any
    law: Law
    metavar: str
    help: str
    options: tuple[str, ...]

    @property
    def spelling(self) -> str:
        """Its name in errors of the command line."""
        return next((option for option in self.options if option.startswith("-")), self.metavar)


_KEY = "setting"


def setting(law: Law, metavar: str, help_: str, *options: str) -> dict[str, Any]:
    """The metadata of a dataclass's field that is a setting; options: see `Setting`, by default the field's name."""
    return {_KEY: (law, metavar, help_, options)}


# Of every study whose work is shared out.
JOBS = setting(whole(1, inf), "N", "processes (default: one a core)")
WORKERS = setting(
    CLUSTER,
    "ADDRESS",
    "a Dask scheduler, such as tcp://host:8786, or a file, such as slurm.yaml, whose workers do the work in place of processes",
)


def check_one_engine(jobs: int | None, cluster: object) -> None:
    """Raise SettingError where both are given."""
    if jobs is not None and cluster is not None:
        raise SettingError(
            lambda called: f"{called('jobs')} is of this host, and {called('cluster')} has its own workers; give one"
        )


def declared(kind: type[DataclassInstance]) -> list[Setting]:
    """The settings that a dataclass declares."""
    found: list[Setting] = []
    for each in fields(kind):
        law, metavar, help_, options = each.metadata[_KEY]
        found.append(Setting(each.name, each.default, law, metavar, help_, options or (f"--{each.name.replace('_', '-')}",)))
    return found


def check(settings: DataclassInstance) -> None:
    """Raise SettingError unless each setting keeps to its law; a setting whose default is None may be None."""
    for each in declared(type(settings)):
        value = getattr(settings, each.name)
        broken = None if value is None and each.default is None else each.law.broken(value)
        if broken is not None:
            raise SettingError(_complaint(each.name, broken))


def _complaint(name: str, broken: str) -> Callable[[Callable[[str], str]], str]:
    return lambda called: f"{called(name)} {broken}"


def known(kind: type[DataclassInstance], given: Iterable[str]) -> None:
    """Raise InputError if a given name is no setting of the dataclass."""
    names = [each.name for each in fields(kind)]
    for name in given:
        if name not in names:
            raise InputError(f"unknown setting {name}{did_you_mean(name, names)}; the settings are {', '.join(names)}")
