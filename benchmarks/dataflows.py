"""How much better than the classic dataflows, each sized by the same search, the free search maps a network.

Run as `python benchmarks/dataflows.py`; `--help` shows what may be chosen.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from mapsearch.formats.yaml.dataflows import names
from mapsearch.studies.start import run


def main() -> None:
    """Print a row for the free search and one for each shipped dataflow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer-set", default="mobilenet")
    parser.add_argument("--hardware", default="edge")
    parser.add_argument("--objective", default="edp")
    parser.add_argument("--trials", type=int, default=60)
    args = parser.parse_args()
    free_edp = 0.0
    print(f"{'structure':10} {'cycles':>14} {'energy [uJ]':>12} {'EDP [pJ x cycles]':>18} {'EDP / free':>10} {'search [s]':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for dataflow in (None, *names()):
            settings: dict[str, Any] = {"objective": args.objective, "trials": args.trials, "dataflow": dataflow}
            totals = run(args.layer_set, args.hardware, out=Path(folder) / (dataflow or "free"), **settings).totals
            free_edp = free_edp or totals.edp_pj_cycles
            print(
                f"{dataflow or 'free':10} {totals.runtime_cycles:14,} {totals.energy_pj.total / 1e6:12,.1f} "
                f"{totals.edp_pj_cycles:18.4e} {totals.edp_pj_cycles / free_edp:10.3f} "
                f"{totals.seconds:10.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
