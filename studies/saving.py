"""The last save of a study: to a temporary folder where its own can no longer be written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mapsearch.studies.folder import StudyFolder

F = TypeVar("F", bound=StudyFolder)


class UnsavedRunError(OSError):
    """The study's folder could not be written; the results are in `folder` instead, or only in this error if that is None."""

    def __init__(self, cause: OSError, wanted: Path, folder: Path | None, results: Any) -> None:  # noqa: ANN401 RunResults of a run, SweepSummary of a sweep
        where = f"is in {folder}" if folder is not None else "could be saved nowhere and is only printed"
        super().__init__(cause.errno, f"{cause.strerror}; what was found {where}", str(wanted))
        self.folder = folder
        self.results = results


def save_in_the_end(folder: F, files: Mapping[str, str], save: Callable[[F], None], results: Callable[[Path], object]) -> None:
    """Save everything; where that fails, save it with the files in a temporary folder and raise UnsavedRunError.

    results: gives the results, given the path of the folder that holds them.
    """
    try:
        save(folder)
    except OSError as error:
        try:
            refuge = type(folder)(Path(tempfile.mkdtemp(prefix=f"mapsearch-{folder.kind}-")))
            refuge.record(files)
            save(refuge)
        except OSError:
            raise UnsavedRunError(error, folder.path, None, results(folder.path)) from None
        raise UnsavedRunError(error, folder.path, refuge.path, results(refuge.path)) from None
