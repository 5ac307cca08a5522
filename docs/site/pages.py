"""Pages of the site that are no Markdown file in docs/: README.md is the first, CHANGELOG.md and each notebook have one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_ROOT = Path(__file__).parents[2]
_PAGES = {"README.md": "index.md", "CHANGELOG.md": "CHANGELOG.md", "LICENSE": "LICENSE", "tests/data/README.md": "recorded_data.md"}

_PNG = "data:image/png;base64"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, whose links are those of the repository, with links of the site."""
    for source, page in _PAGES.items():
        text = (_ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text.replace("](docs/", "](")))
    for notebook in sorted((_ROOT / "docs" / "notebooks").glob("*.ipynb")):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        content = "\n".join([f"[Open as a notebook]({notebook.name})\n", *map(_cell, cells)])
        files.append(File.generated(config, f"notebooks/{notebook.stem}.md", content=content))
    return files


def _cell(cell: dict[str, Any]) -> str:
    """A cell of a notebook as Markdown, with what it has shown."""
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return f"{source}\n"
    shown = [
        f"![]({_PNG},{output['data']['image/png']})" if "data" in output else f"```text\n{''.join(output['text'])}```"
        for output in cell["outputs"]
    ]
    return "\n\n".join([f"```python\n{source}\n```", *shown, ""])


def on_page_markdown(markdown: str, **_: object) -> str:
    """Links out of docs/ lead to the pages added."""
    for source, page in _PAGES.items():
        markdown = markdown.replace(f"](../{source})", f"]({page})").replace(f"](../../{source})", f"](../{page})")
    return markdown
