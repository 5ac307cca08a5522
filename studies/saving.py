"""The last save of a run: elsewhere where its folder can no longer be written."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mapsearch.studies.folder import RunFolder
from mapsearch.studies.results import RunResults
from mapsearch.studies.run.layer_results import LayerResults


class UnsavedRunError(OSError):
    """The run's folder could not be written; what was found is in `folder` instead, or only here where that is None."""

    def __init__(self, cause: OSError, wanted: Path, folder: Path | None, results: RunResults) -> None:
        where = f"is in {folder}" if folder is not None else "could be saved nowhere and is only printed"
        super().__init__(cause.errno, f"{cause.strerror}; what was found {where}", str(wanted))
        self.folder = folder
        self.results = results


def save_in_the_end(found: LayerResults, folder: RunFolder, config: Mapping[str, Any], more: Mapping[str, str]) -> None:
    """Save everything; where that fails, in a temporary folder instead, and raise UnsavedRunError."""
    try:
        found.save_all(folder)
    except OSError as error:
        try:
            refuge = RunFolder(Path(tempfile.mkdtemp(prefix="mapsearch-run-")))
            refuge.create(config, more)
            found.save_all(refuge)
        except OSError:
            raise UnsavedRunError(error, folder.path, None, found.results(folder.path)) from None
        raise UnsavedRunError(error, folder.path, refuge.path, found.results(refuge.path)) from None
