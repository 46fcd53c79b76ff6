"""What is typed after a command: words, name=value pairs in any order, and the text on the lines below."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from opsplane.errors import InvalidRequest

_PIECE = re.compile(
    r"""(?P<literal>(?<=\w)'(?=\w)|[^\s"'“\\])|\\(?P<escaped>.)|"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>[^']*)'|“(?P<curly>[^”]*)”""",
    re.DOTALL,
)
_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"(?P<name>[A-Za-z][A-Za-z_-]*)=(?P<value>.*)", re.DOTALL)
_PLAIN = re.compile(r"""[^\s"'“\\]+""")


@dataclass(frozen=True)
class Word:
    """One word as it is meant, without the quotation marks, and where it stands in the text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Arguments:
    """`words` stand alone, `values` are the name=value pairs, `body` is the text from the second line on."""

    words: tuple[str, ...]
    values: Mapping[str, str]
    body: str


def parse(text: str) -> Arguments:
    """Read what was typed; raise `InvalidRequest` for an open quotation mark or a name that is given twice."""
    found, body = split(text)
    words: list[str] = []
    values: dict[str, str] = {}
    for word in found:
        pair = _NAME.fullmatch(word.text)
        if pair is None:
            words.append(word.text)
            continue
        name = pair["name"].lower()
        if name in values:
            raise InvalidRequest(f"{name}=… is given twice.")
        values[name] = pair["value"]
    return Arguments(tuple(words), values, body)


def filters(text: str, known: Sequence[str]) -> Mapping[str, str]:
    """Name=value filters and nothing else; raise `InvalidRequest` for anything that is none of the known ones."""
    found = parse(text)
    for name in (*found.words, *(name for name in found.values if name not in known)):
        listed = ", ".join(f"{one}=…" for one in known)
        raise InvalidRequest(f"{name[:40]!r} is not a filter. Filters: {listed}")
    return found.values


def split(text: str) -> tuple[list[Word], str]:
    """The words up to the first line end outside quotation marks, and the text below; raise `InvalidRequest`.

    An apostrophe inside a word is a letter; anything else in quotation marks belongs together.
    """
    words: list[Word] = []
    position = 0
    while True:
        begin = _space(text, position)
        gap = text[position:begin]
        if begin == len(text) or (words and "\n" in gap):
            return words, text[position:].partition("\n")[2].strip() if "\n" in gap else ""
        word, position = _word(text, begin)
        words.append(word)


def cut_out(text: str, name: str) -> tuple[str, str]:
    """The text without its `name=…`, and the value of it, empty where it has none."""
    for word in split(text)[0]:
        pair = _NAME.fullmatch(word.text)
        if pair and pair["name"].lower() == name:
            return (text[: word.start].rstrip(" ") + text[word.end :]).strip(" "), pair["value"]
    return text, ""


def written(words: Iterable[str], values: Mapping[str, str]) -> str:
    """The same as somebody would type it."""
    return " ".join([*(_quoted(word) for word in words), *(f"{name}={_quoted(v)}" for name, v in values.items())])


def _space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _word(text: str, begin: int) -> tuple[Word, int]:
    meant, position = "", begin
    while piece := _PIECE.match(text, position):
        quoted = piece["double"]
        meant += re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else _meant(piece)
        position = piece.end()
    if position < len(text) and not text[position].isspace():
        raise InvalidRequest(f"A quotation mark is not closed in: {text[begin : begin + 80]}")
    return Word(meant, begin, position), position


def _meant(piece: re.Match[str]) -> str:
    return next(part for part in piece.group("literal", "escaped", "single", "curly") if part is not None)


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


Query = TypeVar("Query", bound=BaseModel)


def query(text: str, kind: type[Query]) -> Query:
    """`name=value` filters as a value of filters; raise `InvalidRequest` that names the filter and its values."""
    given = filters(text, tuple(kind.model_fields))
    try:
        found = kind.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        problem = error.errors()[0]
        raise InvalidRequest(f"{problem['loc'][0]}={str(problem['input'])[:40]}: {problem['msg']}") from error
    since, until = getattr(found, "since", None), getattr(found, "until", None)
    if since and until and since > until:
        raise InvalidRequest(f"since={since} is after until={until}")
    return found
