"""Markdown and HTML to sections under their headings; tables become Markdown rows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from knowledge import frontmatter
from knowledge.document import Section

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_FENCE = re.compile(r"\s*(```|~~~)")
_COMMENT = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_UNSEEN = (
    "script, style, template, noscript, iframe, object, svg, head, nav, footer, form, [hidden], [aria-hidden=true]"
)
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])")
_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "header",
        "html",
        "legend",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "ul",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
    }
)
_HOLDS_BLOCKS = "p, div, table, ul, ol, h1, h2, h3, h4, h5, h6, section, article, pre, blockquote"
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


@dataclass
class _Outline:
    """Sections while a text is read from top to bottom."""

    sections: list[Section] = field(default_factory=list)
    path: list[tuple[int, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def heading(self, level: int, title: str) -> None:
        """Close the section and open one under a new heading."""
        self.close()
        while self.path and self.path[-1][0] >= level:
            self.path.pop()
        if title:
            self.path.append((level, title))

    def close(self) -> list[Section]:
        """End the open section, if it holds text; all sections so far."""
        text = "\n".join(self.lines).strip()
        if text:
            self.sections.append(Section(path=tuple(title for _, title in self.path), text=text))
        self.lines = []
        return self.sections


def markdown(text: str) -> list[Section]:
    """Sections of a Markdown text. A number sign inside a code fence is no heading; comments are dropped."""
    outline, fence = _Outline(), ""
    for line in _COMMENT.sub("", text).split("\n"):
        mark = _FENCE.match(line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        heading = None if fence else _HEADING.fullmatch(line.rstrip())
        if heading:
            outline.heading(len(heading[1]), heading[2])
        else:
            outline.lines.append(line)
    return outline.close()


def html(text: str) -> tuple[dict[str, Any], list[Section]]:
    """Metadata from `<meta name="opsplane:…">` and the sections of what a reader of the page would see."""
    tree = LexborHTMLParser(text)
    found = {
        (node.attributes.get("name") or "").removeprefix("opsplane:"): node.attributes.get("content") or None
        for node in tree.css("meta[name^='opsplane:']")
    }
    fields = frontmatter.checked(found, [])
    title = tree.css_first("title")
    if "title" not in fields and title is not None and title.text(strip=True):
        fields["title"] = _inline(title)
    for node in tree.css(_UNSEEN):
        node.decompose()
    for node in tree.css("[style]"):
        if _INVISIBLE.search((node.attributes.get("style") or "").lower()):
            node.decompose()
    for node in tree.css("br"):
        node.replace_with("\n")
    outline = _Outline()
    if tree.body is not None:
        _render(tree.body, outline)
    return fields, outline.close()


def _render(top: LexborNode, outline: _Outline) -> None:
    """Put the blocks of a page into the outline; a stack, since pages may nest deeper than Python recurses."""
    stack: list[LexborNode | str] = [top]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            outline.lines.append(node)
        elif node.tag in _HEADINGS:
            outline.heading(_HEADINGS[node.tag], _inline(node))
        elif node.tag == "table":
            outline.lines += ["", *_rows(node), ""]
        elif any(_is_block(child) for child in node.iter()):
            stack += reversed(list(_parts(node)))
        else:
            outline.lines += _block(node)


def _is_block(node: LexborNode) -> bool:
    return node.tag in _BLOCKS or node.css_first(_HOLDS_BLOCKS) is not None


def _parts(node: LexborNode) -> Iterator[LexborNode | str]:
    """The children of a block, with the loose text between them gathered into paragraphs."""
    loose: list[str] = []
    for child in node.iter(include_text=True):
        if child.tag == "-text" or not _is_block(child):
            loose.append(child.text(deep=True) or "")
            continue
        yield from _joined(loose)
        loose = []
        yield child
    yield from _joined(loose)


def _joined(loose: list[str]) -> list[str]:
    text = " ".join("".join(loose).split())
    return [text] if text else []


def _block(node: LexborNode) -> list[str]:
    text = _inline(node)
    if not text:
        return []
    return [f"- {text}"] if node.tag == "li" else ["", text, ""]


def _inline(node: LexborNode) -> str:
    return " ".join(node.text(deep=True, separator="").split())


def _rows(table: LexborNode) -> list[str]:
    """A table as Markdown: the first row is the header."""
    rows = [
        [" ".join(cell.text(deep=True, separator=" ").split()).replace("|", "/") for cell in row.css("th, td")]
        for row in table.css("tr")
    ]
    rows = [row for row in rows if any(row)]
    if not rows:
        return []
    width = max(len(row) for row in rows)
    lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in rows]
    return [lines[0], "|" + "---|" * width, *lines[1:]]
