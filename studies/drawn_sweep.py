"""A sweep with its pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import ParamSpec

from mapsearch.studies.sweep import sweep as undrawn
from mapsearch.studies.sweep.summary import SweepSummary

_LOG = logging.getLogger(__name__)
P = ParamSpec("P")


def _drawn(compute: Callable[P, SweepSummary]) -> Callable[P, SweepSummary]:
    """The sweep, followed by pictures of it in its folder; without matplotlib a line of the log says what is missing."""

    @wraps(compute)
    def computed_and_drawn(*args: P.args, **kwargs: P.kwargs) -> SweepSummary:
        summary = compute(*args, **kwargs)
        if find_spec("matplotlib") is None:
            _LOG.info("pictures are left out, as they need matplotlib; pip install matplotlib, and --resume draws them")
            return summary
        from mapsearch.studies.pictures.designs import draw  # noqa: PLC0415 matplotlib takes half a second, and may be missing

        draw(summary)
        return summary

    return computed_and_drawn


sweep = _drawn(undrawn.sweep)
