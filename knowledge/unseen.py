"""What a page holds but does not show: the styles that hide text from its reader."""

import re
from collections.abc import Mapping

Declarations = Mapping[str, str]

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_SIMPLE = re.compile(r"[.#][\w-]+")
_LENGTH = re.compile(r"(-?\d*\.?\d+)(px|pt|em|rem|ex|ch|vw|vh|%)?")
_NAMED = {"white": "#ffffff", "black": "#000000", "red": "#ff0000", "yellow": "#ffff00", "navy": "#000080"}
_TRIPLE = re.compile(r"rgba?\((\d{1,3})[,\s]+(\d{1,3})[,\s]+(\d{1,3})(?:[,\s/]+([\d.]+%?))?\)")
_PIXELS = {"px": 1.0, "pt": 1.33, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0, "vw": 10.0, "vh": 10.0, "%": 10.0}
_MOVED = ("left", "top", "right", "bottom", "text-indent", "margin-left", "margin-top", "margin-right")
_FAR, _TINY, _FAINT = -500.0, 1.0, 0.05
_LONGEST_STYLE, _LONGEST_SHEET = 4_000, 1_000_000


def declarations(style: str) -> dict[str, str]:
    """The properties of a style attribute, in small letters."""
    found: dict[str, str] = {}
    for part in style[:_LONGEST_STYLE].lower().split(";"):
        name, mark, value = part.partition(":")
        if mark:
            found[name.strip()] = " ".join(value.replace("!important", "").split())
    return found


def hiding(sheet: str) -> frozenset[str]:
    """The classes (`.name`) and ids (`#name`) that a style sheet hides; conditional rules and others are not read."""
    text = _COMMENT.sub("", sheet[:_LONGEST_SHEET])
    hidden: set[str] = set()
    for selectors, body in _RULE.findall(_unconditional(text)):
        if conceals(declarations(body)):
            hidden.update(name for name in (part.strip() for part in selectors.split(",")) if _SIMPLE.fullmatch(name))
    return frozenset(hidden)


def conceals(style: Declarations) -> bool:
    """Whether text in this style is not there for the eye."""
    return (
        style.get("display") == "none"
        or style.get("visibility") in ("hidden", "collapse")
        or _number(style.get("opacity", "1")) < _FAINT
        or _pixels(style.get("font-size", "16px")) < _TINY + 0.01
        or any(_pixels(style.get(name, "0")) <= _FAR for name in _MOVED)
        or _clipped(style)
        or colour(style.get("color", "")) == "transparent"
    )


def colour(value: str) -> str:
    """A colour in one way of writing: `#rrggbb`, "transparent", or what was written where it is of another kind."""
    word = _NAMED.get(value.strip(), value.strip())
    if re.fullmatch(r"#[0-9a-f]{3}", word):
        return "#" + "".join(2 * digit for digit in word[1:])
    triple = _TRIPLE.fullmatch(word)
    if triple:
        clear = triple[4] is not None and _number(triple[4].rstrip("%")) < _FAINT
        return "transparent" if clear else "#" + "".join(f"{min(int(part), 255):02x}" for part in triple.groups()[:3])
    return word


def _unconditional(sheet: str) -> str:
    """The sheet without its @-blocks, which hold for print or for small screens only."""
    kept: list[str] = []
    depth, start = 0, 0
    skipped = False
    for mark in re.finditer(r"[{}]", sheet):
        if mark[0] == "{":
            if depth == 0:
                skipped = "@" in sheet[start : mark.start()]
            depth += 1
        elif depth:
            depth -= 1
        if depth == 0:
            if not skipped:
                kept.append(sheet[start : mark.end()])
            start, skipped = mark.end(), False
    return "".join(kept)


def _clipped(style: Declarations) -> bool:
    """Whether a box is cut down to nothing."""
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", style.get("clip", ""))]
    cut = style.get("clip-path", "").replace(" ", "")
    none = any(_pixels(style.get(side, "99px")) <= _TINY for side in ("height", "width", "max-height", "max-width"))
    return (
        (style.get("clip", "").startswith("rect") and bool(numbers) and max(numbers) <= _TINY)
        or cut in ("inset(50%)", "inset(100%)", "circle(0)", "circle(0px)")
        or (none and style.get("overflow") == "hidden")
        or style.get("transform", "").replace(" ", "") in ("scale(0)", "scale(0,0)", "scalex(0)", "scaley(0)")
    )


def _pixels(value: str) -> float:
    """A length as about so many pixels; what is no length is an ordinary one."""
    length = _LENGTH.fullmatch(value)
    if not length:
        return 16.0
    if length[2] == "%":
        return float(length[1]) * 0.16 if float(length[1]) >= 0 else float(length[1]) * _PIXELS["%"]
    return float(length[1]) * _PIXELS.get(length[2] or "px", 1.0)


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 1.0
