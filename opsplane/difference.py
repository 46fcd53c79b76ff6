"""What differs between two releases: long texts word by word, rules by their id, everything else field by field."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby
from typing import Any

from opsplane.pack import Pack, Rule
from opsplane.release import Release

LARGEST = 3_000
"""Words on one side that are still compared one by one; a longer stretch counts as written anew."""
LISTED = 5
"""Up to so many items a list is shown whole; of a longer one, what only one side has."""

_WORD = re.compile(r"(\w+(?:[-.,:'’/]\w+)*|[^\w\s]|\A)(\s*)")


class Kind(StrEnum):
    """What became of a piece of text, or of a rule."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Run:
    """A piece of text that both have, or only one."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class TextChange:
    """A long text in both wordings; without the added runs it is the one before, without the removed the one after."""

    field: str
    runs: tuple[Run, ...]

    @property
    def before(self) -> str:
        """The text as it was."""
        return "".join(run.text for run in self.runs if run.kind is not Kind.ADDED)

    @property
    def after(self) -> str:
        """The text as it became."""
        return "".join(run.text for run in self.runs if run.kind is not Kind.REMOVED)


@dataclass(frozen=True)
class FieldChange:
    """A field in both values, as they are written; None on the side that does not have it."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class RuleChange:
    """A rule of a compliance pack that came, went or changed, and in what."""

    pack: str
    rule: str
    kind: Kind
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True)
class Difference:
    """From one release to another; empty where they are the same release."""

    before: Release
    after: Release
    texts: tuple[TextChange, ...]
    rules: tuple[RuleChange, ...]
    fields: tuple[FieldChange, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.texts or self.rules or self.fields)


def compare(a: Release, b: Release) -> Difference:
    """Everything that makes `b` another release than `a`; what is equal is left out."""
    old, new = a.model_dump(mode="json"), b.model_dump(mode="json")
    before, after = _texts(old), _texts(new)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    texts = tuple(TextChange(name, words(before.get(name, ""), after.get(name, ""))) for name in names)
    packs = a.guardrails.rules, b.guardrails.rules
    rules = tuple(_rules(*packs))
    fields = [*_fields(_flat(old), _flat(new)), *_fields(*(_versions(one) for one in packs))]
    if packs[0] != packs[1] and not rules and not any(one.field.startswith("packs.") for one in fields):
        fields.append(FieldChange("guardrails.rules", *("; ".join(_order(one)) for one in packs)))
    return Difference(a, b, texts, rules, tuple(fields))


def words(before: str, after: str) -> tuple[Run, ...]:
    """The words that stayed, went and came, in their order, with the white space after them."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    return tuple(_tidy(list(_pieces(old, new))))


Token = tuple[str, str]
"""A word or sign, and the white space after it."""


def _pieces(old: Sequence[Token], new: Sequence[Token]) -> Iterator[Run]:
    start, end = _shared(old, new)
    yield from _kept(old[:start], new[:start])
    middle = old[start : len(old) - end], new[start : len(new) - end]
    if max(map(len, middle)) > LARGEST:
        yield from _replaced(*middle)
    else:
        before, after = ([word for word, _ in side] for side in middle)
        for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            put = _kept if tag == "equal" else _replaced
            yield from put(middle[0][i:j], middle[1][k:m])
    yield from _kept(old[len(old) - end :], new[len(new) - end :])


def _shared(old: Sequence[Token], new: Sequence[Token]) -> tuple[int, int]:
    """How many words at the beginning, and how many of the others at the end, are the same."""
    shortest = min(len(old), len(new))
    start = next((i for i in range(shortest) if old[i][0] != new[i][0]), shortest)
    rest = shortest - start
    return start, next((i for i in range(rest) if old[-1 - i][0] != new[-1 - i][0]), rest)


def _kept(old: Sequence[Token], new: Sequence[Token]) -> Iterator[Run]:
    """The same words, of which the white space after them may still differ."""
    for (word, space), (_, other) in zip(old, new, strict=True):
        yield Run(Kind.SAME, word if space != other else word + space)
        if space != other:
            yield from (Run(Kind.REMOVED, space), Run(Kind.ADDED, other))


def _replaced(old: Sequence[Token], new: Sequence[Token]) -> Iterator[Run]:
    yield Run(Kind.REMOVED, "".join(word + space for word, space in old))
    yield Run(Kind.ADDED, "".join(word + space for word, space in new))


def _tidy(runs: Sequence[Run]) -> Iterator[Run]:
    """Neighbours put together: what stayed, and in each changed place first what went, then what came."""
    pieces: list[Run] = []
    for same, group in groupby(runs, lambda run: run.kind is Kind.SAME):
        changed = list(group)
        pieces += changed if same else _place(changed)
    for kind, group in groupby((run for run in pieces if run.text), lambda run: run.kind):
        yield Run(kind, "".join(run.text for run in group))


def _place(runs: Sequence[Run]) -> list[Run]:
    """One changed place; white space that both sides end with stayed."""
    old, new = ("".join(run.text for run in runs if run.kind is kind) for kind in (Kind.REMOVED, Kind.ADDED))
    end = 0
    while end < min(len(old), len(new)) and old[-1 - end] == new[-1 - end] and old[-1 - end].isspace():
        end += 1
    stayed = Run(Kind.SAME, old[len(old) - end :])
    return [Run(Kind.REMOVED, old[: len(old) - end]), Run(Kind.ADDED, new[: len(new) - end]), stayed]


def _texts(release: Mapping[str, Any]) -> dict[str, str]:
    """What is compared word by word. Examples are one text, so that one put between moves none of the others."""
    texts = {"prompt.system": release["prompt"]["system"]}
    texts["prompt.examples"] = "".join(_example(one) for one in release["prompt"]["examples"])
    for part in ("replies", "disclosures"):
        texts |= {f"{part}.{name}": text for name, text in release[part].items()}
    return texts


def _example(one: Mapping[str, str]) -> str:
    """Further lines stand in, so that nobody's words are taken for the beginning of an answer or an example."""
    question, answer = (one[name].replace("\n", "\n    ") for name in ("question", "answer"))
    return f"Question: {question}\nAnswer: {answer}\n\n"


def _flat(release: Mapping[str, Any]) -> dict[str, Any]:
    """Everything else, by its dotted path."""
    rest = {name: value for name, value in release.items() if name not in ("prompt", "replies", "disclosures")}
    rest["guardrails"] = {name: value for name, value in rest["guardrails"].items() if name != "rules"}
    return dict(_leaves("", rest))


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        yield path, value
        return
    for name, part in value.items():
        yield from _leaves(f"{path}.{name}" if path else name, part)


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in {**old, **new}:
        sides = [json.dumps(side[name]) if name in side else None for side in (old, new)]
        if sides[0] != sides[1]:
            yield FieldChange(name, *_shown(old.get(name), new.get(name), sides))


def _shown(old: Any, new: Any, sides: Sequence[str | None]) -> tuple[str | None, str | None]:
    """Both values as people read them: text without quotation marks unless that hides the difference."""
    if isinstance(old, list) and isinstance(new, list) and max(len(old), len(new)) > LISTED:
        return _listed(old, new), _listed(new, old)
    plain = [
        side if side is None or not isinstance(one, str) else one for one, side in zip((old, new), sides, strict=True)
    ]
    before, after = sides if plain[0] == plain[1] else plain
    return before, after


def _listed(items: Sequence[Any], other: Sequence[Any]) -> str:
    own = [one if isinstance(one, str) else json.dumps(one) for one in items if one not in other]
    told = f"only here: {'; '.join(own)}" if own else "none that is only here, or in another order"
    return f"{len(items)}, {told}"


def _versions(packs: Sequence[Pack]) -> dict[str, Any]:
    return {f"packs.{pack.id}": pack.version for pack in packs}


def _order(packs: Sequence[Pack]) -> list[str]:
    return [f"{pack.name}: {', '.join(rule.id for rule in pack.rules)}" for pack in packs]


def _rules(old: Sequence[Pack], new: Sequence[Pack]) -> Iterator[RuleChange]:
    before, after = _by_id(old), _by_id(new)
    for pack, rule in {**before, **after}:
        was, became = before.get((pack, rule)), after.get((pack, rule))
        if was == became:
            continue
        if was and became:
            fields = tuple(_fields(was.model_dump(mode="json"), became.model_dump(mode="json")))
            yield RuleChange(pack, rule, Kind.CHANGED, fields)
        else:
            yield RuleChange(pack, rule, Kind.REMOVED if was else Kind.ADDED)


def _by_id(packs: Sequence[Pack]) -> dict[tuple[str, str], Rule]:
    return {(pack.id, rule.id): rule for pack in packs for rule in pack.rules}
