"""What a DOCX file's named styles say about paragraphs: headings, lists, hidden text."""

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from docx.oxml import ns

qn = cache(ns.qn)
"""The full name of an element or attribute such as `w:p`, which the library builds anew each time."""
_HEADING = re.compile(r"heading ([1-9])")
_DEEPEST = 20
_OFF = ("0", "false", "off")


@dataclass(frozen=True)
class Style:
    """`level` is that of a heading, 0 for the title; `contents` is a line of a table of contents."""

    level: int | None = None
    title: bool = False
    hidden: bool = False
    contents: bool = False
    shaded: bool = False
    number: str = ""
    depth: int = 0

    def of(self, properties: Any) -> "Style":
        """This style with what the properties of a paragraph or of a style add."""
        changes: dict[str, Any] = {}
        outline = properties.find(qn("w:outlineLvl"))
        if outline is not None and outline.get(qn("w:val"), "9").isdigit():
            level = int(outline.get(qn("w:val"))) + 1
            changes["level"] = level if level < 10 else None
        number, depth = (properties.find(f"{qn('w:numPr')}/{qn(f'w:{name}')}") for name in ("numId", "ilvl"))
        if number is not None:
            changes["number"] = number.get(qn("w:val"), "")
        if depth is not None and depth.get(qn("w:val"), "").isdigit():
            changes["depth"] = min(int(depth.get(qn("w:val"))), 8)
        if properties.find(qn("w:shd")) is not None:
            changes["shaded"] = True
        return replace(self, **changes) if changes else self


def styles(root: Any) -> dict[str, Style]:
    """Every style by its id, with what it takes over from those that it is based on; "" is the default paragraph's."""
    elements = {element.get(qn("w:styleId"), ""): element for element in root.iterchildren(qn("w:style"))}
    resolved = {name: _resolved(name, elements) for name in elements}
    for name, element in elements.items():
        if element.get(qn("w:default")) in ("1", "true") and element.get(qn("w:type")) == "paragraph":
            resolved[""] = resolved[name]
    return resolved


def _resolved(name: str, elements: dict[str, Any]) -> Style:
    """A style over those that it is based on, the outermost first; a circle ends where it closes."""
    chain: list[Any] = []
    while name in elements and len(chain) < _DEEPEST:
        chain.append(elements[name])
        based = elements[name].find(qn("w:basedOn"))
        name = "" if based is None else based.get(qn("w:val"), "")
    style = Style()
    for element in reversed(chain):
        style = _one(element, style)
    return style


def _one(element: Any, style: Style) -> Style:
    label = element.find(qn("w:name"))
    name = ("" if label is None else label.get(qn("w:val"), "")).lower()
    heading = _HEADING.fullmatch(name)
    if heading:
        style = replace(style, level=int(heading[1]))
    if name == "title":
        style = replace(style, level=0, title=True)
    if name.startswith("toc ") and name != "toc heading":
        style = replace(style, contents=True)
    vanish = element.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    if vanish is not None:
        style = replace(style, hidden=vanish.get(qn("w:val"), "1") not in _OFF)
    properties = element.find(qn("w:pPr"))
    return style if properties is None else style.of(properties)
