"""The pages of the site that stand at the top of the repository: README.md is the first page, and CHANGELOG.md one of its own."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_ROOT = Path(__file__).parents[2]
_PAGES = {"README.md": "index.md", "CHANGELOG.md": "CHANGELOG.md", "LICENSE": "LICENSE", "tests/data/README.md": "recorded_data.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, whose links are those of the repository, with links of the site."""
    for source, page in _PAGES.items():
        text = (_ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text.replace("](docs/", "](")))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Links out of docs/ lead to the pages added."""
    for source, page in _PAGES.items():
        markdown = markdown.replace(f"](../{source})", f"]({page})").replace(f"](../../{source})", f"](../{page})")
    return markdown
