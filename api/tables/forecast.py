"""What `mapsearch run --dry-run` shows."""

from __future__ import annotations

from mapsearch.output import write, write_prose, write_table
from mapsearch.studies.forecast import Forecast
from mapsearch.studies.shown import about_text


def print_forecast(found: Forecast) -> None:
    """The layers with the sizes of their spaces, the machines, the time and its basis, and the folder."""
    rows = [(layer.name, layer.count, layer.macs, f"{layer.mappings:.3g}") for layer in found.layers]
    write_table("", ("layer", "count", "MACs", "mappings"), rows)
    for layer in found.left_out:
        write_prose(f"left out: {layer.name}: {layer.reason}", indent=10)
    several = f", {found.machines:,} machines; mappings are those of the largest" if found.machines > 1 else ""
    write_prose(f"hardware: {found.hardware}{several}", indent=10)
    if found.seconds is None:
        write_prose(f"time:     not known: {found.basis}", indent=10)
    else:
        write_prose(f"time:     {about_text(found.seconds)} at the most: {found.basis}", indent=10)
    write(f"folder:   {found.folder} (nothing is written now)")
