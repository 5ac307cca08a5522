"""Settings are declared once: options, keywords, checks, help and defaults are one and the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from inspect import signature
from typing import TYPE_CHECKING

import pytest

import mapsearch
from mapsearch.cli import make_parser
from mapsearch.studies.declared import SettingError, declared
from mapsearch.studies.run.options import Inputs, SearchOptions
from mapsearch.studies.run.settings import Settings
from mapsearch.studies.sweep.options import SweepOptions

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

KINDS = (Inputs, SearchOptions, SweepOptions)
COMMANDS: dict[type[DataclassInstance], str] = {Inputs: "run", SearchOptions: "run", SweepOptions: "sweep"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_is_an_option_with_its_help(kind: type[DataclassInstance]) -> None:
    """The command's help shows each setting by its option, with its default where it has one."""
    _, subparsers = make_parser()
    text = " ".join(subparsers.choices[COMMANDS[kind]].format_help().split())
    for each in declared(kind):
        assert all(option in text for option in each.options if option.startswith("-"))
        assert " ".join(each.help.split()) in text
        if isinstance(each.default, int | str) and not isinstance(each.default, bool):
            assert f"(default: {each.default})" in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_has_a_default_that_keeps_its_law(kind: type[DataclassInstance]) -> None:
    """A dataclass of settings can be made of nothing, and a default that is a value is a legal one."""
    assert all(field.default is not MISSING for field in fields(kind))
    for each in declared(kind):
        assert each.default is None or each.law.broken(each.default) is None


@pytest.mark.parametrize(("function", "kind"), [(mapsearch.run, Inputs), (mapsearch.sweep, SweepOptions)])
def test_the_keywords_of_python_are_the_settings(function: Callable[..., object], kind: type[DataclassInstance]) -> None:
    """What a function takes by name, besides a watcher and the settings of a search, are the declared settings and defaults."""
    taken = {name: each.default for name, each in signature(function).parameters.items() if name not in ("watcher", "settings")}
    assert taken == {each.name: each.default for each in declared(kind)}


def test_an_error_calls_settings_as_the_caller_does() -> None:
    """From Python by the keywords; the command line puts in its options."""
    with pytest.raises(SettingError) as caught:
        Settings(timeout_seconds=-1)
    assert str(caught.value) == "timeout_seconds must be above 0 and below 1e9, got -1"
    options = {each.name: each.spelling for each in declared(SearchOptions)}
    assert caught.value.sentence(options.__getitem__) == "--timeout must be above 0 and below 1e9, got -1"
