"""How good the searches' answers are: measures what docs/search.md tells from its heading "How good it is" on, and writes it.

`python benchmarks/search_quality.py` proves every layer of five networks on two machines and compares the samplers on twelve of
them, EDP, with two processes in about an hour and a half. What is measured is kept in benchmarks/search_data as it comes; run
again, it goes on where it was broken off, and only writes the page where nothing is left. It needs the extra `plots`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from search_page import PAGE, write_page
from search_proofs import prove_all
from search_samplers import compare_all

DATA = Path(__file__).parent / "search_data"


def main() -> None:
    """Measure, telling each row on standard error, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of what is measured (default: benchmarks/search_data)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the search for a gap of 0 of each layer (default: 60)")
    parser.add_argument("--proofs-only", action="store_true", help="do not compare the samplers")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write (default: docs/search.md)")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    args.data.mkdir(parents=True, exist_ok=True)
    for proof in prove_all(args.data, args.seconds, "edp", args.jobs):
        print(proof.hardware, proof.layer_set, proof.layer, f"{proof.gap:.3%} {proof.seconds:.1f} s", file=sys.stderr)
    if not args.proofs_only:
        for row in compare_all(args.data, args.jobs):
            print(row.hardware, row.layer_set, row.layer, row.sampler, row.seed, f"{row.value:.6g}", file=sys.stderr)
    write_page(args.data, args.page)


if __name__ == "__main__":
    main()
