"""Where sentences end: in running prose, in Markdown, and in an answer that is still being written."""

import re
from collections.abc import Iterator

from opsplane.evidence import Sentence

_ALWAYS = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|vs|e\.g|i\.e|u\.s|u\.s\.c|p\.o|sec|secs|art|reg|regs|dept|est|approx|incl|jr|sr|cf|ca"
    r"|fig|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec)|(?<![\w.])[a-z])\.$",
    re.IGNORECASE,
)
_BEFORE_FIGURE = re.compile(r"\b(?:no|nos|p|pp|para|ch|vol|ext)\.$", re.IGNORECASE)
_EITHER = re.compile(r"\b(?:a\.m|p\.m|n\.a|inc|co|corp|ltd|etc|d\.c)\.$", re.IGNORECASE)
_ZONE = re.compile(
    r"(?:Eastern|Central|Mountain|Pacific|ET|EST|EDT|CT|PT|Mondays?|Tuesdays?|Wednesdays?|Thursdays?|Fridays?"
    r"|Saturdays?|Sundays?)\b"
)
_NUMBERED = re.compile(r"(?:^|\n)\s*\(?\d{1,3}\.$")
_BULLET = re.compile(r"(?:[-*•+]|#{1,6}) +")
_END = re.compile(r"[.!?…][\"'”’)\]*_]*(?=\s)")
_MARK = re.compile(r"\[\d+(?:\s*[,;]\s*\d+)*\]")
_MARKS = re.compile(r"(?:\s*\[\d+(?:\s*[,;]\s*\d+)*\])*")
_OPEN_MARK = re.compile(r"\s*(?:\[[\d,;\s]*)?$")


def split(text: str) -> list[str]:
    """The sentences of one paragraph, in order, white space tidied."""
    flat = re.sub(r"\s+", " ", text).strip()
    pieces, start = [], 0
    for found in _END.finditer(flat):
        if _ends(flat[start : found.end()], flat[found.end() :].lstrip()):
            pieces.append(flat[start : found.end()].strip())
            start = found.end()
    return [piece for piece in [*pieces, flat[start:].strip()] if piece]


def _ends(before: str, after: str) -> bool:
    """Whether the full stop (or other mark) at the end of `before` closes a sentence that `after` follows."""
    if after[:1] in ("—", "–"):  # a quotation that the sentence goes on about
        return False
    stop = before.rstrip("\"'”’)]*_")
    if not stop.endswith(".") or not after:
        return True
    if _ALWAYS.search(stop) or _NUMBERED.search(stop):
        return False
    if _BEFORE_FIGURE.search(stop) and after[0].isdigit():
        return False
    if _EITHER.search(stop) and (not after[0].isupper() or _ZONE.match(after)):
        return False
    return not after[0].islower()


class Splitter:
    """Cuts an answer into sentences while it streams in, taking citation marks like [2] or [1, 3] off the text.

    A line is a sentence of its own where it ends: list items, table rows. A mark belongs to the sentence before it.
    """

    def __init__(self) -> None:
        self._buffer = ""

    def feed(self, text: str) -> Iterator[Sentence]:
        """Take in a piece of the answer; yield the sentences that are complete with it."""
        self._buffer += text
        yield from self._take(final=False)

    def flush(self) -> Iterator[Sentence]:
        """Yield what is left when the answer has ended."""
        yield from self._take(final=True)
        rest, self._buffer = self._buffer, ""
        yield from _sentence(rest)

    def _take(self, *, final: bool) -> Iterator[Sentence]:
        start = 0
        for end in _ends_of(self._buffer, final=final):
            yield from _sentence(self._buffer[start:end])
            start = end
        self._buffer = self._buffer[start:]


def _ends_of(buffer: str, *, final: bool) -> list[int]:
    """Where complete sentences end in `buffer`, their marks included; nothing that later text could change."""
    ends: list[int] = []
    for found in re.finditer(r"\n|" + _END.pattern + r"|" + _END.pattern.replace(r"(?=\s)", r"(?=\[\d)"), buffer):
        marks = _MARKS.match(buffer, found.end())
        end = marks.end() if marks else found.end()
        rest = buffer[end:]
        if not final and (_OPEN_MARK.match(rest) or not re.search(r"\S\s", rest)):
            break
        start = ends[-1] if ends else 0
        if end <= start or (found[0] != "\n" and not _ends(buffer[start : found.end()], rest.lstrip())):
            continue
        ends.append(end)
    return ends


def _sentence(piece: str) -> Iterator[Sentence]:
    """The piece as a sentence with its cites, or nothing where it holds no word."""
    cites = tuple(dict.fromkeys(int(n) for mark in _MARK.findall(piece) for n in re.findall(r"\d+", mark)))
    text = re.sub(r"\s+([.,;:!?])(?=\s|$)", r"\1", _MARK.sub("", piece))
    text = _BULLET.sub("", re.sub(r"[ \t]+", " ", text).strip())
    if re.search(r"\w", text):
        yield Sentence(text=text, cites=cites)
