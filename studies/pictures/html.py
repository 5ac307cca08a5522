"""The parts of a self-contained HTML page: a document with sections, lists, tables and pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import cast

_STYLE = """\
body { font: 14px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; color: #222; background: #fff; }
body { max-width: 1000px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin-top: 2em; border-bottom: 1px solid #ccc; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12px; white-space: nowrap; }
th, td { padding: 1px 10px 1px 0; text-align: right; border-bottom: 1px solid #eee; }
th:first-child, td:first-child, .text td { text-align: left; }
.text td { white-space: normal; overflow-wrap: anywhere; }
.text td:first-child { white-space: nowrap; overflow-wrap: normal; }
svg { width: 100%; height: auto; }
th[aria-sort] { cursor: pointer; } th[aria-sort]:hover, summary:hover { background: #eee; }
th[aria-sort=ascending]::after { content: " \\25B2"; } th[aria-sort=descending]::after { content: " \\25BC"; }
.told { fill: transparent; } .told:hover { stroke: #222; }
#told { position: fixed; display: none; padding: 2px 8px; background: #222; color: #fff; font-size: 12px; white-space: pre-line; }
summary { cursor: pointer; } pre { font-size: 12px; line-height: 1.35; overflow-x: auto; }
"""

# Tables sort by a click, or Enter, on a header: numbers as numbers, empty cells last. A point's text stands beside the mouse.
_SCRIPT = """\
"use strict";
const key = (row, column) => {
  const text = row.cells[column].textContent;
  const found = text.replace(/,/g, "").match(/^(?:< )?(-?[0-9.]+(?:e[+-]?[0-9]+)?)%?$/i);
  return text === "optimal" ? 0 : found ? Number(found[1]) : text;
};
const compare = (one, other) => {
  if (one === "" || other === "") return (one === "") - (other === "");
  if (typeof one === typeof other) return typeof one === "number" ? one - other : one.localeCompare(other);
  return typeof one === "number" ? -1 : 1;
};
for (const head of document.querySelectorAll("th")) {
  head.setAttribute("aria-sort", "none");
  head.tabIndex = 0;
  const sort = () => {
    const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    const [heads, ...rows] = head.closest("table").rows;
    for (const each of heads.cells) each.setAttribute("aria-sort", each === head ? order : "none");
    const keys = new Map(rows.map((row) => [row, key(row, head.cellIndex)]));
    const turn = (one, other) => order === "descending" && keys.get(one) !== "" && keys.get(other) !== "";
    rows.sort((one, other) => compare(keys.get(one), keys.get(other)) * (turn(one, other) ? -1 : 1));
    heads.parentElement.append(...rows);
  };
  head.addEventListener("click", sort);
  head.addEventListener("keydown", (event) => event.key === "Enter" && sort());
}
const told = document.body.appendChild(document.createElement("div"));
told.id = "told";
document.addEventListener("mousemove", (event) => {
  const text = event.target.dataset?.told;
  told.style.display = text ? "block" : "none";
  told.textContent = text || "";
  told.style.left = `${Math.min(event.clientX + 12, innerWidth - told.offsetWidth)}px`;
  told.style.top = `${event.clientY + 12}px`;
});
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture on the page: its heading, and its SVG file."""

    title: str
    svg: str


def document(title: str, parts: Iterable[str], script: str = _SCRIPT) -> str:
    """A page with a heading; empty parts are left out. script: by default that which sorts tables and tells of points."""
    title = escape(title)
    head = f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n<style>\n{_STYLE}</style>\n'
    return f"{head}</head>\n<body>\n<h1>{title}</h1>\n{''.join(parts)}<script>\n{script}</script>\n</body>\n</html>\n"


def pictures(shown: Iterable[Shown]) -> list[str]:
    """A section for each picture."""
    return [section(each.title, each.svg[each.svg.index("<svg") :]) for each in shown]


def section(title: str, content: str) -> str:
    """A heading and what stands under it; nothing where that is empty."""
    return f"<h2>{escape(title)}</h2>\n{content}" if content else ""


def folded(title: str, text: str) -> str:
    """A text as it is, unfolded by a click on its title."""
    return f"<details><summary>{escape(title)}</summary>\n<pre>{escape(text)}</pre></details>\n"


def bullets(lines: Iterable[str]) -> str:
    """A list of lines, as text."""
    items = "".join(f"<li>{escape(line)}</li>\n" for line in lines)
    return f"<ul>\n{items}</ul>\n" if items else ""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{lines}</table></div>\n'


def pairs(data: Mapping[str, object]) -> str:
    """A table of keys and values."""
    lines = "".join(f"<tr><td>{escape(key)}</td><td>{escape(_shown(value))}</td></tr>\n" for key, value in _flat(data))
    return f'<table class="text">\n{lines}</table>\n'


def _flat(data: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Keys with their values; what holds mappings itself has a row for each of its keys."""
    for key, value in data.items():
        parts: Mapping[str, object] = cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}
        if any(isinstance(part, Mapping) for part in parts.values()):
            yield from _flat(parts, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _shown(value: object) -> str:
    match value:
        case None:
            return "none"
        case str():
            return value
        case dict():
            return ", ".join(f"{key} {_shown(part)}" for key, part in cast("dict[str, object]", value).items())
        case _:
            return json.dumps(value)
