"""The last save of a study: elsewhere where its folder can no longer be written."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mapsearch.studies.folder import StudyFolder

F = TypeVar("F", bound=StudyFolder)
F_contra = TypeVar("F_contra", bound=StudyFolder, contravariant=True)


class Savable(Protocol[F_contra]):
    """What a study found."""

    def save_all(self, folder: F_contra) -> None:
        """Write everything."""
        ...

    def results(self, path: Path) -> dict[str, Any]:
        """What the folder at `path` holds of it."""
        ...


class UnsavedRunError(OSError):
    """The study's folder could not be written; what was found is in `folder` instead, or only here where that is None."""

    def __init__(self, cause: OSError, wanted: Path, folder: Path | None, results: dict[str, Any]) -> None:
        where = f"is in {folder}" if folder is not None else "could be saved nowhere and is only printed"
        super().__init__(cause.errno, f"{cause.strerror}; what was found {where}", str(wanted))
        self.folder = folder
        self.results = results


def save_in_the_end(found: Savable[F], folder: F, files: Mapping[str, str]) -> None:
    """Save everything; where that fails, with the files in a temporary folder instead, and raise UnsavedRunError."""
    try:
        found.save_all(folder)
    except OSError as error:
        try:
            refuge = type(folder)(Path(tempfile.mkdtemp(prefix=f"mapsearch-{folder.kind}-")))
            refuge.record(files)
            found.save_all(refuge)
        except OSError:
            raise UnsavedRunError(error, folder.path, None, found.results(folder.path)) from None
        raise UnsavedRunError(error, folder.path, refuge.path, found.results(refuge.path)) from None
