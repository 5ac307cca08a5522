"""Pages of the site that are no Markdown file in docs/: README.md is the first, CHANGELOG.md and each notebook have one.

The site calls pages by their titles, where the repository calls them by their files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, cast

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

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


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Links out of docs/ lead to the pages added, and files of pages are called by their titles."""
    for source, added in _PAGES.items():
        markdown = markdown.replace(f"](../{source})", f"]({added})").replace(f"](../../{source})", f"](../{added})")
    titles = dict(_titles(cast("Any", config).nav))
    up = "../" * (len(PurePosixPath(page.file.src_uri).parts) - 1)
    for file, title in titles.items():
        name = re.escape(file)
        markdown = re.sub(rf"\[(?:docs/)?{name}\](?=\()", f"[{title}]", markdown)
        markdown = re.sub(rf"`docs/{name}`", f"[{title}]({up}{file})", markdown)
        markdown = re.sub(rf"(?<!\])\((?:docs/)?{name}(?=[;)])", f"({title}", markdown)  # in comments of code no link can be
    return markdown


def _titles(nav: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 of YAML
    """Each page's file in docs/, and its title."""
    for title, under in (item for each in nav for item in each.items()):
        if isinstance(under, str):
            yield under, title
        else:
            yield from _titles(under)
