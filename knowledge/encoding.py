"""Bytes to text: UTF-8, UTF-16 with its mark, what a page declares, and else what can be told with confidence."""

import codecs
import re

from charset_normalizer import from_bytes

from knowledge.reading import Unfit

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(
    r"(windows-?|cp)\d+|iso-?8859-?\d+|latin-?\d|us-ascii|shift[-_]jis|euc-\w+|gb\w+|big5\w*|koi8-\w|mac\w+"
)
_LATIN = re.compile(r"us-ascii|iso-?8859-?1|latin-?1")
_CANDIDATES = ["cp1252", "cp1250", "cp1251", "mac_roman", "koi8_r", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"]
_NAMES = {"cp1252": "windows-1252", "cp1250": "windows-1250", "cp1251": "windows-1251", "mac_roman": "macintosh"}
_SAMPLE = 32_000
_CHAOS, _COHERENCE, _TIE = 0.1, 0.4, 0.05


def decode(data: bytes, declared: str = "") -> tuple[str, tuple[str, ...]]:
    r"""The text with lines ended by \n, and a note where its encoding had to be guessed.

    Raises `Unfit` for binary data and for an encoding that cannot be told.
    """
    mark, encoding = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    if not mark and b"\0" in data:
        raise Unfit("holds NUL bytes: binary data, or UTF-16 without its mark; save it as UTF-8")
    notes: tuple[str, ...] = ()
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if mark:
            raise Unfit(f"wrong encoding: marked as {encoding.upper()}, but is not at byte {error.start}") from error
        text, notes = _told(data, declared.strip().lower(), error)
    if "\0" in text:
        raise Unfit("holds NUL characters: binary data")
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def _told(data: bytes, declared: str, error: UnicodeDecodeError) -> tuple[str, tuple[str, ...]]:
    """What is not UTF-8, as its author declares it or as its letters tell."""
    refusal = Unfit(
        f"wrong encoding: not UTF-8 at byte {error.start} (0x{data[error.start]:02x}), and no other that can be told"
    )
    if _DECLARED.fullmatch(declared):
        try:
            return data.decode("cp1252" if _LATIN.fullmatch(declared) else declared), ()
        except (UnicodeDecodeError, LookupError):
            raise Unfit(f"wrong encoding: declared as {declared}, but is not") from error
    if _mostly_utf8(data):
        raise refusal from error
    encoding = _guess(_sample(data))
    if not encoding:
        raise refusal from error
    try:
        return data.decode(encoding), (f"read as {_NAMES.get(encoding, encoding)}",)
    except UnicodeDecodeError:
        raise refusal from error


def _mostly_utf8(data: bytes) -> bool:
    """Whether it is UTF-8 with damage: a guess would spoil every letter that is right."""
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = len(text) - len(text.encode("ascii", "ignore")) - wrong
    return right > wrong


def _sample(data: bytes) -> bytes:
    """Lines in which letters beyond ASCII stand, which are what tells encodings apart."""
    lines: list[bytes] = []
    size = 0
    for line in data.splitlines():
        if not line.isascii():
            lines.append(line[:_SAMPLE])
            size += len(line)
            if size > _SAMPLE:
                break
    return b"\n".join(lines)[:_SAMPLE]


def _guess(sample: bytes) -> str:
    """The encoding that reads as a language without disorder; the usual one where others read no better."""
    found = [
        match
        for match in from_bytes(sample, cp_isolation=_CANDIDATES)
        if match.chaos <= _CHAOS and match.coherence >= _COHERENCE
    ]
    if not found:
        return ""
    best = found[0]
    for match in found:
        close = match.chaos - best.chaos < _TIE and best.coherence - match.coherence < _TIE
        if close and (match.encoding == "cp1252" or _alike(sample, str(match))):
            return "cp1252"
    return best.encoding


def _alike(sample: bytes, text: str) -> bool:
    return sample.decode("cp1252", "replace") == text
