"""`mapsearch run`: search the best mapping of every layer of a set, and write them out."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace

from mapsearch.arguments import Subparsers, one_of

# Options that go to `studies.run.run` by their names, where the user gives them.
OPTIONS = (
    "layer_set", "hardware", "out", "jobs", "resume",
    "objective", "sampler", "trials", "evaluations", "timeout_seconds", "seed", "restarts", "levels", "tiles", "dataflow",
    "constraints", "warm_start", "model",
)  # fmt: skip
SAMPLERS = ("auto", "exact", "genetic", "tpe", "random", "nsgaii", "cmaes", "qmc", "bruteforce")


def add_parser(subparsers: Subparsers) -> None:
    """Declare the command; an option that is not given leaves no trace, so that a resumed run's own stands."""
    parser = subparsers.add_parser(
        "run",
        help="search the best mapping of every layer of a network",
        description="Search the best mapping of every layer of a layer set on a hardware; write each as a directive file, with "
        "results.json and results.csv, to a folder. Ctrl-C ends with the best so far written; --resume goes on.",
        argument_default=SUPPRESS,
    )
    add = parser.add_argument
    add(
        "--layer-set",
        metavar="SET",
        help="a shipped layer set (see mapsearch layers) or a YAML file; several, with commas between and how often "
        "each runs, such as mobilenet_v2,resnet18:2, are a mix for one machine",
    )
    add(
        "--hardware",
        metavar="H",
        help="a preset (see mapsearch hardware) or a YAML file; of a space of machines the best is searched too (default: edge)",
    )
    add(
        "--objective",
        metavar="O",
        help="latency, energy, edp, ed2p, area-delay, or an expression of runtime_cycles, energy_pj, area_mm2 and macs such as "
        "'max(energy_pj / 1e6, runtime_cycles)'; several, with commas between, give Pareto fronts (default: edp)",
    )
    add(
        "--sampler",
        type=one_of(*SAMPLERS),
        metavar="S",
        help=f"{', '.join(SAMPLERS)} (default: auto)",
    )
    add("--trials", type=int, metavar="N", help="structures, or populations, tried per layer (default: 60)")
    add("--evaluations", type=int, metavar="N", help="mappings costed per layer at the most, in place of --trials")
    add("--timeout", type=float, dest="timeout_seconds", metavar="SECONDS", help="about how long the whole run may search")
    add("--seed", type=int, metavar="N", help="same seed, same results, whatever the number of jobs (default: 0)")
    add("--restarts", type=int, metavar="N", help="independent searches per layer, the best of which counts (default: 1)")
    add("--jobs", type=int, metavar="N", help="processes (default: one a core)")
    add("--levels", type=int, metavar="L", help="cluster levels of the mappings, 1 to 3 (default: 2)")
    add("--tiles", type=one_of("balanced", "divisors", "all"), metavar="T", help="balanced, divisors or all (default: balanced)")
    add(
        "--dataflow",
        metavar="D",
        help="hold the structure fixed and search sizes only: kcp_ws, xp_ws, yxp_os, yrp_rs, cp_nlr or a file",
    )
    add(
        "--constraints",
        metavar="FILE",
        help="fix or bound orders, shared dims, tile sizes and Clusters: nvdla, tpu, eyeriss, flexible_order or a file",
    )
    add("--warm-start", metavar="PATH", help="a directive file, or a folder of them such as a run's, whose mappings to start from")
    add("--model", metavar="M", help="the cost model (default: exact)")
    add("--out", metavar="DIR", help="the folder to write (default: a new one under runs/)")
    add("--resume", action="store_true", help="go on with the run in --out")
    add("--json", action="store_true", help="print the results as JSON instead of tables")
    parser.set_defaults(json=False)


def run(args: Namespace) -> int:
    """Run the search and print what it found."""
    from mapsearch.output import write_json
    from mapsearch.studies.saving import UnsavedRunError
    from mapsearch.studies.start import run as search
    from mapsearch.tables.run import RunProgress, print_results

    given = {key: value for key, value in vars(args).items() if key in OPTIONS}
    failure: UnsavedRunError | None = None
    with RunProgress() as progress:
        try:
            results = search(watcher=progress, **given)
        except UnsavedRunError as error:
            failure, results = error, error.results
    if args.json:
        write_json(results)
    else:
        print_results(results, saved=failure is None or failure.folder is not None)
    if failure is not None:
        raise failure
    return 0 if results["complete"] else 130
