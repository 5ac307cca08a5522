"""Studies in one of Optuna's storages: a database, or a journal file."""

from __future__ import annotations

import logging
import re
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from mapsearch.model.errors import InputError

_LOG = logging.getLogger(__name__)
# Who opens a new database fails while another process makes its tables, which takes less than this.
_PATIENCE_SECONDS, _PAUSE_SECONDS = 2.0, 0.2


def opened_studies(url: str, names: Sequence[str], objectives: Sequence[str]) -> list[optuna.Study]:
    """The studies with these names, begun where they are not there yet; InputError where the storage cannot be opened.

    url: of a database as SQLAlchemy takes it, such as sqlite:///studies.db, or the path of a journal file.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
            storage = _opened(url)
            minimize = [optuna.study.StudyDirection.MINIMIZE] * len(objectives)
            studies = [
                optuna.create_study(storage=storage, study_name=name, directions=minimize, load_if_exists=True) for name in names
            ]
            for study in studies:
                study.set_metric_names(list(objectives))
    except Exception as error:  # noqa: BLE001 drivers of databases raise anything
        raise InputError(
            f"storage {_without_password(url)}: must be a database, such as sqlite:///studies.db, or a journal file; cannot "
            f"be opened: {_first_line(error)}"
        ) from None
    return studies


def _opened(url: str) -> BaseStorage:
    if re.match(r"[a-z0-9+]{2,}:|://", url) is None:
        _check_journal(Path(url))
        return JournalStorage(JournalFileBackend(url))
    at = make_url(url)
    if at.get_backend_name() == "sqlite" and at.database in {None, "", ":memory:"}:
        raise ValueError("it is in memory, where nothing is kept; name a file")
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return optuna.storages.get_storage(url)
        except DBAPIError:  # soon, unless a host does not answer, which is asked once
            if time.monotonic() >= until:
                raise
        time.sleep(_PAUSE_SECONDS)


def _check_journal(path: Path) -> None:
    """Raise where a file is there and is no journal: Optuna would add to it."""
    if path.exists():
        with path.open("rb") as file:
            line = file.readline(10**4)
        if line and b'"op_code"' not in line:
            raise ValueError("it is no journal")


class Guard:
    """Calls what uses a storage; once that fails, it says so, and calls nothing any more."""

    def __init__(self) -> None:
        self._failed = False

    def __call__(self, work: Callable[[], object]) -> None:
        """Call the work."""
        if self._failed:
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001 drivers of databases raise anything
            self._failed = True
            _LOG.warning("the storage fails and is left aside from now on: %s", _first_line(error))


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return scheme + separator + rest.rpartition("@")[2]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
