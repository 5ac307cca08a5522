"""What each command's help ends with: examples to copy, and the page of the documentation that goes on from there."""

from __future__ import annotations

# By the command's name: example lines, and the page. The empty name is the program's own help.
ENDS: dict[str, tuple[tuple[str, ...], str]] = {
    "": (("run mobilenet", "evaluate runs/mobilenet-edp-edge/network.m", "help run"), "README.md"),
    "run": (
        (
            "run mobilenet --objective energy --timeout 60",
            "run resnet18 --hardware cloud --seed 7 --out runs/r18",
            "run --out runs/r18 --resume",
        ),
        "docs/search.md, docs/objectives.md, docs/co_design.md",
    ),
    "plot": (
        (
            "plot runs/r18",
            "plot runs/r18 --format svg --out pictures",
            "plot resnet50:conv4_middle --density --hardware 'edge,sparse.skip=[weight]'",
        ),
        "docs/pictures.md, docs/sparsity.md",
    ),
    "feed": (
        ("feed runs/r18 --pipeline imagenet", "feed runs/r18 --pipeline mine.yaml --what-if cores --json"),
        "docs/feeding.md",
    ),
    "sweep": (("sweep maestro_paper", "sweep --layers vgg16:conv1_2 --dataflow kcp_ws"), "docs/sweep.md"),
    "serve": (
        ("serve evening", "serve my_service.yaml --max-load --out runs/mine", "serve --out runs/mine --resume"),
        "docs/serving.md",
    ),
    "evaluate": (("evaluate runs/r18/network.m --hardware cloud", "evaluate - --json"), "docs/cost_model.md, docs/directives.md"),
    "show": (
        (
            "show runs/r18 --layer conv1",
            "show runs/r18 --layer 1 --out conv1.png",
            "show net.m --hardware cloud --json",
        ),
        "docs/pictures.md",
    ),
    "compare": (("compare runs/r18 runs/r18-tpe", "compare runs/r18 runs/r18-tpe --json"), "docs/search.md"),
    "compare-models": (("compare-models runs/r18/network.m --hardware cloud",), "docs/models.md"),
    "export": (
        ("export runs/r18/network.m --to maestro --out maestro", "export runs/r18/mappings/01_conv1.m --to c --hardware cloud"),
        "docs/interchange.md, docs/models.md",
    ),
    "verify": (("verify runs/r18/network.m --with maestro --binary maestro",), "docs/agreement.md"),
    "validate": (
        ("validate", "validate gemmini --data rows --json", "validate chip.csv --fit technology --hardware eyeriss"),
        "docs/validation.md, docs/hardware.md",
    ),
    "layers": (
        ("layers", "layers resnet18", "layers model.onnx --dim batch=1 --save set.yaml"),
        "docs/layer_sets.md, docs/interchange.md",
    ),
    "space": (("space resnet18 --levels 3", "space resnet18 --dataflow kcp_ws --json"), "docs/search.md, docs/constraints.md"),
    "hardware": (("hardware", "hardware eyeriss"), "docs/hardware.md"),
    "cache": (("cache", "cache --clear"), "docs/search.md"),
    "bench": (("bench", "bench --seconds 0.1 --json"), "docs/performance.md"),
}


def help_end(command: str) -> str:
    """The last lines of the help of a command; of the program, where it is the empty text."""
    lines, pages = ENDS[command]
    examples = "\n".join(f"  mapsearch {line}" for line in lines)
    return f"examples:\n{examples}\nmore in the repository: {pages}"
