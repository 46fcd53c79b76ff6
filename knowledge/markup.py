"""Markdown to sections under their headings."""

import re

from knowledge.document import Section
from knowledge.outline import Outline

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_FENCE = re.compile(r"\s*(```|~~~)")
_COMMENT = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_UNSEEN = re.compile(r"<(script|style|template|iframe|object)\b.*?(</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_VOID = "area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr"
_HIDDEN = re.compile(
    rf"<(?!(?:{_VOID})\b)(\w+)\b[^<>]*?"
    r"(?:\shidden\b|aria-hidden=.?true|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0)"
    r"[^<>]*>.*?(?:</\1\s*>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_ACTIVE = re.compile(
    r"\[([^\[\]]{0,500})\]\(\s{0,9}<?(?:javascript|vbscript|data):[^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)", re.IGNORECASE
)
_UNSHOWN = re.compile(r"^ {0,3}\[[^\[\]]{1,200}\]:[ \t]*#.*$", re.MULTILINE)


def markdown(text: str) -> list[Section]:
    """Sections of a Markdown text: what its reader would see. A number sign inside a code fence is no heading."""
    outline, fence = Outline(), ""
    for line in _shown(text).split("\n"):
        mark = _FENCE.match(line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        heading = None if fence else _HEADING.fullmatch(line.rstrip())
        if heading:
            outline.heading(len(heading[1]), heading[2])
        else:
            outline.lines.append(line)
    return outline.close()


def _shown(text: str) -> str:
    """Without comments, raw HTML that runs or hides, targets of links that run, and definitions that only hide."""
    if "<" in text:
        text = _HIDDEN.sub("", _UNSEEN.sub("", _COMMENT.sub("", text)))
    if "](" in text:
        text = _ACTIVE.sub(r"\1", text)
    return _UNSHOWN.sub("", text) if "]:" in text else text
