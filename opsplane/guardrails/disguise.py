"""Disguise taken off: the readings of a text that hide less, from invisible characters to nested encodings.

Other checks read ordinary text through `wording.plain`; these readings are for what somebody hid on purpose.
Every step is linear and capped, so that a hostile text costs milliseconds.
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from urllib.parse import unquote

from confusable_homoglyphs.confusables import confusables_data

DECODED = 20_000
"""Characters of a text in which disguises are looked for; beyond them it is only made visible."""
READINGS = 24
"""Readings of one text at most."""
_DEPTH = 2
_REMEMBERED = 4_000  # characters of a text whose readings are kept: several checks ask for them
_TOKENS = 20  # encoded tokens tried in one text

_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True))
_TURNED = dict(zip("ɐɔǝɟƃɓɥıᴉɾʞןɯɹʇʌʍʎ", "aceffghiijklmrtvwy", strict=True)) | {"ƃ": "g", "ɓ": "g"}
_MORSE_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)
_MORSE = dict(zip(_MORSE_SIGNS.split(), "abcdefghijklmnopqrstuvwxyz0123456789", strict=True))
_COMMON_WORDS = (
    "a about above account accounts act admin again ai all am an and answer any anything are as ask assistant at "
    "bank be because before below bypass by can card code command content conversation could customer customers "
    "data database decode developer did disable disregard do does dump enable everything execute export filter "
    "filters follow following for forget from full function get give given go had has have hello help her him his "
    "hidden how i if ignore in initial instead instruction instructions into is it its key know let like list me "
    "message mode model money more my never new no not now obey of on only open or other our out output override "
    "password passwords please policy pretend previous print prior prompt prompts question repeat reply respond "
    "reveal role rule rules run safety say secret secrets send she should show so some such system tell text than "
    "that the their them then there these they this those to told tool tools transfer under up use user users want "
    "was way we were what when which who why will with without word words work would write you your "
)
_COMMON = frozenset(_COMMON_WORDS.split())
_LONGEST_WORD = max(map(len, _COMMON))
_ROTATED = frozenset(codecs.encode(word, "rot13") for word in _COMMON if len(word) > 2)
_BACKWARDS = frozenset(word[::-1] for word in _COMMON if len(word) > 2)

_WORD = re.compile(r"[a-z]+")
_MASKED = re.compile(  # what a plain ASCII text must hold before its disguises are worth a look
    r"[A-Za-z0-9+/_]{16}|(?:[0-9A-Fa-f]{2}[\s:,-]){4}|%[0-9A-Fa-f]{2}|\\[xu][0-9A-Fa-f]{2}|&#?\w{2,8};|"
    r"(?:[A-Za-z][ ._*|/-]){3}|[A-Za-z][013457@$!|][A-Za-z]|[.-]{1,6} [.-]{1,6} [.-]|[\"'] ?[+,;)]|[01]{8}|"
    r"(?:[0-9]{2,3}[\s,]{1,2}){6}"
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{16,8000}={0,2}")
_BASE32 = re.compile(r"(?<![A-Z2-7=])[A-Z2-7]{16,8000}={0,6}")
_HEX = re.compile(r"(?:(?:0x|\\x|%)?[0-9A-Fa-f]{2}[\s:,-]{0,2}){8,4000}")
_BINARY = re.compile(r"(?:[01]{8}[\s,]{0,2}){4,1000}")
_DECIMAL = re.compile(r"(?:[0-9]{2,3}[\s,]{1,2}){6,1000}[0-9]{2,3}")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4}))")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ENTITY = re.compile(r"&#?\w{2,8};")
_MORSED = re.compile(r"(?:[.-]{1,6}[ /|]{1,3}){4,2000}[.-]{1,6}")
_SPACED = re.compile(r"(?<![^\W_])(?:[A-Za-z][ ._*|/-]){1,200}[A-Za-z](?![^\W_])")
_SPLIT = re.compile(r"(?<=[A-Za-z])[-_.*~^|/](?=[A-Za-z])")
_TOKEN = re.compile(r"\S+")
_LITERAL = re.compile(r"\"([^\"\n]{1,200})\"|'([^'\n]{1,200})'")
_OVERRIDDEN = re.compile("[\u202e\u202b\u2067]([^\u202a-\u202e\u2066-\u2069\n]{1,4000})")
_LEET = str.maketrans("013457@$!|", "oieastasil")


class _Table(dict[int, str | int | None]):
    """A translation table that works out each character on first sight."""

    def __init__(self, shown: Callable[[str], str]) -> None:
        super().__init__()
        self._shown = shown

    def __missing__(self, code: int) -> str:
        shown = self[code] = self._shown(chr(code))
        return shown


def _visible(char: str) -> str:
    """Nothing for what cannot be seen, one kind of space and line end, straight quotes."""
    if char in "\n\r\v\f\x85\u2028\u2029":
        return "\n"
    if char in "‘’ʼ`´":
        return "'"
    if char in "“”„":
        return '"'
    kind = unicodedata.category(char)
    if kind == "Zs" or char == "\t":
        return " "
    return "" if kind in {"Cc", "Cf", "Me", "Co", "Cs", "Cn"} or "\ufe00" <= char <= "\ufe0f" else char


def _lookalikes() -> dict[str, str]:
    """Characters of other alphabets that are drawn like a Latin letter, from Unicode's table of confusables."""
    table: dict[str, str] = {}
    for char, others in confusables_data.items():
        letters = [other["c"] for other in others if other["c"].isascii() and other["c"].isalpha()]
        if len(char) == 1 and not char.isascii() and letters and len(letters[0]) == 1:
            table[char] = "I" if letters[0] == "l" and char.isupper() else letters[0]
    # Unicode pairs capital and small letters of some scripts by their shape, not by what is read
    ours = dict(zip("тнвкмпидлгфиТНВ", "thbkmnudlrfuTHB", strict=True)) | {"η": "n", "ν": "v", "ι": "i", "α": "a"}
    return table | ours | _SMALL_CAPITALS | _TURNED


_LATIN = _lookalikes()


def _latin(char: str) -> str:
    """The Latin letter that the character looks like; marks and strokes on letters left out."""
    if char.isascii():
        return char
    if "\U0001f130" <= char <= "\U0001f189":  # squared and negative circled letters
        return chr(ord("a") + (ord(char) - 0x1F130) % 32 % 26)
    if "\U0001f1e6" <= char <= "\U0001f1ff":  # flags are spelt with these
        return chr(ord("a") + ord(char) - 0x1F1E6)
    if char in _LATIN:
        return _LATIN[char]
    base = unicodedata.normalize("NFKD", char)[0]
    return "" if unicodedata.category(char) == "Mn" else base if base.isascii() else _LATIN.get(base, char)


_VISIBLE, _FOLDED = _Table(_visible), _Table(_latin)


def revealed(text: str) -> tuple[str, ...]:
    """The readings of a text that hide less, the most literal first and none twice; at least one."""
    return _remembered(text) if len(text) <= _REMEMBERED else _revealed(text)


def _revealed(text: str) -> tuple[str, ...]:
    literal = visible(text)
    found = dict.fromkeys([literal])
    layer = [literal, *_smuggled(text)]
    for _ in range(_DEPTH):
        deeper = []
        for reading in layer:
            for other in (reading, *_uncovered(reading[:DECODED])):
                if other not in found and other.strip():
                    deeper.append(other)
                    found[other] = None
            if len(found) >= READINGS:
                return tuple(found)[:READINGS]
        layer = deeper
    return tuple(found)


_remembered = lru_cache(maxsize=1024)(_revealed)


def visible(text: str) -> str:
    """The text as it is seen: NFKC, no invisible or control characters; line ends and letters of any script stay."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFKC", text).translate(_VISIBLE)


def folded(text: str) -> str:
    """The text with every character that is drawn like a Latin letter as that letter."""
    return text if text.isascii() else text.translate(_FOLDED)


def english(text: str) -> bool:
    """Whether common English words make up a fair part of the text's beginning."""
    words = _WORD.findall(text[:2000].lower())
    return sum(word in _COMMON for word in words) >= max(2, 0.2 * len(words))


def _smuggled(text: str) -> Iterator[str]:
    """What stands in characters that nobody sees (tags, variation selectors), or in the wrong direction."""
    if text.isascii():
        return
    head = text[:DECODED]
    tags = "".join(chr(ord(char) - 0xE0000) for char in head if "\U000e0020" <= char <= "\U000e007e")
    if tags:
        yield tags
    selected = bytes(_selector(char) for char in head if _selector(char) >= 0).decode("utf-8", "ignore")
    if _readable(selected):
        yield selected
    if _OVERRIDDEN.search(head):
        yield visible(_OVERRIDDEN.sub(lambda match: match.group(1)[::-1], head))


def _selector(char: str) -> int:
    """The byte that a variation selector stands for, or -1."""
    if "\ufe00" <= char <= "\ufe0f":
        return ord(char) - 0xFE00
    return ord(char) - 0xE0100 + 16 if "\U000e0100" <= char <= "\U000e01ef" else -1


def _uncovered(text: str) -> Iterator[str]:
    """Every reading one step below a visible text."""
    yield from _other_direction(text)
    scattered = len(_SPLIT.findall(text)) >= max(3, len(text) / 60)  # a hyphen here and there is no disguise
    if text.isascii() and not scattered and not _MASKED.search(text):
        return
    latin = folded(text)
    yield latin
    readable = _TOKEN.sub(_read_digits, latin)
    yield readable
    joined = _SPACED.sub(lambda match: re.sub(r"[ ._*|/-]", "", match.group()), readable)
    joined = re.sub(" {2,9}", " ", joined) if joined != readable else joined
    if scattered:
        joined = _SPLIT.sub("", joined)
    yield joined
    if joined != latin:
        yield " ".join(_cut(token) for token in joined.split())
    yield from _unescaped(text)
    yield from _decoded(text)
    parts = ["".join(match.groups("")) for match in _LITERAL.finditer(text)]
    if len(parts) > 1:
        yield "".join(parts)
        yield " ".join(parts)


def _other_direction(text: str) -> Iterator[str]:
    """ROT13 and back to front, where that turns more words into English ones than it spoils."""
    words = set(_WORD.findall(text[:4000].lower()))
    straight = len(words & _COMMON)
    for disguised, undo in ((_ROTATED, _rotate), (_BACKWARDS, _reverse)):
        hits = len(words & disguised)
        if hits >= 3 and (hits >= straight or hits >= 5):
            yield undo(text)


def _rotate(text: str) -> str:
    return codecs.encode(text, "rot13")


def _reverse(text: str) -> str:
    return text[::-1]


def _read_digits(match: re.Match[str]) -> str:
    """A token that mixes letters and look-alike digits, read as letters; plain figures and words stay."""
    token = match.group()
    core = token.rstrip(".,!?;:")
    letters = sum(char.isalpha() for char in core)
    return core.translate(_LEET) + token[len(core) :] if 2 <= letters < len(core) else token


def _cut(token: str) -> str:
    """A long token that was written without spaces, cut into common words, the longest first."""
    if len(token) < 12 or not token.isalpha():
        return token
    lower, at, words = token.lower(), 0, [""]
    while at < len(lower):
        end = next((at + n for n in range(_LONGEST_WORD, 1, -1) if lower[at : at + n] in _COMMON), at + 1)
        if end == at + 1:
            words[-1] += lower[at]
        else:
            words += [lower[at:end], ""]
        at = end
    return " ".join(filter(None, words))


def _unescaped(text: str) -> Iterator[str]:
    """Percent signs, HTML entities and backslash escapes read where they stand."""
    if len(_PERCENT.findall(text)) >= 3:
        yield visible(unquote(text, errors="ignore"))
    if _ENTITY.search(text):
        yield visible(html.unescape(text))
    if len(_ESCAPE.findall(text)) >= 3:
        yield visible(_ESCAPE.sub(lambda match: chr(int(match.group(1) or match.group(2), 16)), text))


def _decoded(text: str) -> Iterator[str]:
    """What encoded tokens hold, each by itself, where it is text."""
    tried = 0
    for pattern, decode in _DECODERS:
        for match in pattern.finditer(text):
            tried += 1
            if tried > _TOKENS:
                return
            reading = decode(match.group())
            if _readable(reading):
                yield visible(reading)


def _readable(text: str) -> bool:
    """Whether it is mostly letters and spaces."""
    return len(text) >= 4 and sum(char.isalpha() or char == " " for char in text) >= 0.8 * len(text)


def _from_bytes(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _base64(token: str) -> str:
    plain = token.rstrip("=").translate(str.maketrans("-_", "+/"))
    plain = plain[: len(plain) - (len(plain) % 4 == 1)]
    try:
        return _from_bytes(base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True))
    except binascii.Error:
        return ""


def _base32(token: str) -> str:
    plain = token.rstrip("=")
    try:
        return _from_bytes(base64.b32decode(plain + "=" * (-len(plain) % 8)))
    except binascii.Error:
        return ""


def _hex(token: str) -> str:
    digits = re.sub(r"0x|\\x|[^0-9A-Fa-f]", "", token)
    return _from_bytes(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _binary(token: str) -> str:
    bits = re.sub(r"[^01]", "", token)
    return _from_bytes(bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)))


def _decimal(token: str) -> str:
    codes = [int(code) for code in re.findall(r"[0-9]+", token)]
    return "".join(map(chr, codes)) if all(32 <= code < 127 for code in codes) else ""


def _morse(token: str) -> str:
    words = re.split(r"\s*[/|]\s*|\s{2,}", token)
    return " ".join("".join(_MORSE.get(sign, "") for sign in word.split()) for word in words)


_DECODERS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_BASE64, _base64),
    (_HEX, _hex),
    (_BASE32, _base32),
    (_BINARY, _binary),
    (_DECIMAL, _decimal),
    (_MORSED, _morse),
)
