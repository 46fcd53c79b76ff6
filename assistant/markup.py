"""Pieces of an HTML page: text that stays text, tables with headings, numbers in their unit."""

import re
from collections.abc import Iterable, Sequence
from html import escape

_UNSEEN = re.compile(
    r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # what XML or HTML cannot hold
    r"|[\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # what turns the direction of the text around it
)
_LONGEST = 20_000
_FORMS = {"share": (3, ""), "ms": (0, "\u00a0ms")}
"""Decimals of a unit, and what follows the number."""


def visible(text: str) -> str:
    """Text whose control characters, lone surrogates and turns of direction are spelt out: \\u001b."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def text(told: str, longest: int = _LONGEST) -> str:
    """Text as HTML shows it, in an element and in a quoted attribute; what is longer than `longest` is cut."""
    more = len(told) - longest
    cut = f"{told[:longest]} … ({more:,} more characters stand in the JSON report)" if more > 0 else told
    return escape(visible(cut))


def table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are HTML already and whose first column names the row; empty without rows."""
    head = "".join(f'<th scope="col">{text(heading)}</th>' for heading in headings)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>\n'
        for first, *rest in rows
    )
    if not body:
        return ""
    label = text(caption)
    return (
        f'<div class="wide" role="region" aria-label="{label}" tabindex="0"><table>\n<caption>{label}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n"
    )


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Labels and what they say, in HTML already, as a list; what says nothing is left out."""
    told = "".join(f"<div><dt>{text(label)}</dt><dd>{said}</dd></div>\n" for label, said in rows if said)
    return f'<dl class="facts">\n{told}</dl>\n' if told else ""


def number(value: float | None, unit: str) -> str:
    """A number in its measure's unit, as people read it."""
    return "—" if value is None else _in(unit, value, "")


def signed(value: float | None, unit: str) -> str:
    """A difference, with its sign."""
    return "—" if value is None else _in(unit, value, "+")


def span(low: float | None, high: float | None, unit: str, sign: str = "") -> str:
    """An interval, on one line."""
    return "—" if low is None or high is None else f"{_in(unit, low, sign)}\u00a0to\u00a0{_in(unit, high, sign)}"


def _in(unit: str, value: float, sign: str) -> str:
    if unit == "micros":
        told = f"${abs(value) / 1_000_000:,.6f}"
        return ("-" if value < 0 else sign if value else "") + told
    places, after = _FORMS.get(unit, (2, ""))
    value = round(value, places) or 0.0  # no -0.000, and no sign where nothing differs
    return f"{value:{sign if value else ''},.{places}f}{after}"
