"""Compliance packs: versioned rules in YAML, each with the rule behind it and its own test vectors."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from opsplane import pattern, yamlfile
from opsplane.errors import InvalidRelease

FILE = {"read_from": "file"}
"""The validation context of a pack on disk: its patterns must be RE2's. A registered release may hold older ones."""


def _readable(text: str, info: ValidationInfo) -> str:
    """A pattern that can be compiled; of a file, one that is read in linear time."""
    reason = pattern.refusal(text) if info.context == FILE else pattern.broken(text)
    if reason:
        raise ValueError(f"rule {info.data.get('id')}: the pattern {text!r} is not valid: {reason}")
    return text


def _fires(text: str, info: ValidationInfo) -> str:
    """A vector on which the rule fires."""
    known = info.data
    if "patterns" not in known or "unless" not in known:
        return text  # a pattern is not valid, which is told already
    if pattern.searcher(known["patterns"])(text) is None:
        raise ValueError(f"rule {known.get('id')} should fire on its vector {text!r}, but no pattern matches")
    if excuse := pattern.searcher(known["unless"])(text):
        raise ValueError(
            f"rule {known.get('id')} should fire on its vector {text!r}, but its own `unless` lets it through at "
            f"{excuse!r}"
        )
    return text


def _passes(text: str, info: ValidationInfo) -> str:
    """A vector that the rule lets pass."""
    known = info.data
    if "patterns" not in known or "unless" not in known or pattern.searcher(known["unless"])(text) is not None:
        return text
    if (found := pattern.searcher(known["patterns"])(text)) is not None:
        raise ValueError(f"rule {known.get('id')} should let its vector pass: {text!r}, but it fires at {found!r}")
    return text


Reads = Literal["question", "answer"]
Deed = Literal["block", "rewrite", "disclose", "person", "note"]
_DEEDS: dict[str, tuple[Deed, ...]] = {
    "question": ("block", "person", "note"),
    "answer": ("block", "rewrite", "disclose", "person", "note"),
}
_REPLIED = {("question", "block"), ("question", "person"), ("answer", "disclose")}


class Rule(BaseModel):
    """One rule: any of `patterns` (case-insensitive, in RE2's syntax) fires unless one of `unless` also matches.

    `reads` says what is read: the customer's question or a sentence of the answer. `action` says what is done:

    * `block`: a question is declined with the reply named `reply`; a sentence is withheld;
    * `rewrite`: the sentence is replaced by the text in `rewrite`;
    * `disclose`: the sentence is shown, and the reply named `reply` once under the answer;
    * `person`: a person is asked to take over; a question gets the reply, a sentence is withheld;
    * `note`: it is only recorded.

    `fires` and `passes` are test vectors, proved when the pack is loaded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z]+(\.[a-z_]+)+$")
    title: str
    because: str  # citation of the law, regulation or bank policy behind it
    reads: Reads
    patterns: tuple[Annotated[str, AfterValidator(_readable)], ...] = Field(min_length=1)
    unless: tuple[Annotated[str, AfterValidator(_readable)], ...] = ()
    action: Deed = Field(default="block", exclude_if=lambda deed: deed == "block")
    rewrite: str = Field(default="", exclude_if=lambda text: not text)
    reply: str = ""
    fires: tuple[Annotated[str, AfterValidator(_fires)], ...] = Field(min_length=1)
    passes: tuple[Annotated[str, AfterValidator(_passes)], ...] = Field(min_length=1)

    def match(self, text: str) -> str | None:
        """The words of `text` on which the rule fires, or None."""
        found = pattern.searcher(self.patterns)(text)
        return None if found is None or pattern.searcher(self.unless)(text) is not None else found

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.action not in _DEEDS[self.reads]:
            known = ", ".join(_DEEDS[self.reads])
            raise ValueError(f"rule {self.id} reads {self.reads}s, and the action of such a rule is one of {known}")
        if (self.reads, self.action) in _REPLIED and not self.reply:
            raise ValueError(f"rule {self.id} reads {self.reads}s and needs a reply to {self.action} with")
        if (self.action == "rewrite") != bool(self.rewrite.strip()):
            raise ValueError(f"rule {self.id}: the text in `rewrite` and the action `rewrite` belong together")
        return self


class Pack(BaseModel):
    """A versioned set of rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    version: str
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [rule.id for rule in self.rules]
        if repeated := {name for name in ids if ids.count(name) > 1}:
            raise ValueError(f"rules named twice: {', '.join(sorted(repeated))}")
        return self

    @property
    def name(self) -> str:
        """Id and version, as findings name it."""
        return f"{self.id} {self.version}"

    def fired(self, parts: Sequence[str], reads: Reads) -> list[tuple[Rule, str]]:
        """The rules that fire on any of the parts, in their order, each with the words of the first such part."""
        rules, sieve = self._readers[reads]
        found: dict[int, str] = {}
        for part in parts:
            for number in sieve(part):
                if number not in found and (words := rules[number].match(part)) is not None:
                    found[number] = words
        return [(rules[number], found[number]) for number in sorted(found)]

    @cached_property
    def _readers(self) -> dict[Reads, tuple[tuple[Rule, ...], pattern.Sieve]]:
        """The rules that read questions, and those that read answers, each with its sieve; one that leaks is none."""
        readers: dict[Reads, tuple[tuple[Rule, ...], pattern.Sieve]] = {}
        for reads in get_args(Reads):
            rules = tuple(rule for rule in self.rules if rule.reads == reads)
            sieve = pattern.sieve(tuple(rule.patterns for rule in rules))
            # where RE2 had too little memory for all of them together, it would find nothing and not say so
            tight = all(n in sieve(text) for n, rule in enumerate(rules) for text in rule.fires)
            readers[reads] = rules, sieve if tight else _everything(len(rules))
        return readers


def _everything(count: int) -> pattern.Sieve:
    return lambda _: list(range(count))


class Exemplars(BaseModel):
    """Example questions in our own wording, from which the kind of a question is told by nearest neighbours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    version: str
    in_scope: tuple[str, ...] = Field(min_length=20)
    off_topic: tuple[str, ...] = Field(min_length=20)
    greeting: tuple[str, ...] = Field(min_length=3)
    thanks: tuple[str, ...] = Field(min_length=3)
    help: tuple[str, ...] = Field(min_length=3)
    person: tuple[str, ...] = Field(min_length=3)

    @property
    def name(self) -> str:
        """Id and version, as findings name it."""
        return f"{self.id} {self.version}"

    @property
    def texts(self) -> tuple[str, ...]:
        """Every example."""
        return (*self.in_scope, *self.off_topic, *self.greeting, *self.thanks, *self.help, *self.person)


def load(path: Path) -> Pack:
    """Read a pack from YAML and prove its vectors; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Pack, FILE)


def load_all(paths: Sequence[Path]) -> tuple[Pack, ...]:
    """Read the packs of one release; raise `InvalidRelease` with file, line and field, also where they contradict."""
    packs = tuple(load(path) for path in paths)
    problems = []
    for one in contradictions(packs):
        pack, rule = one.place
        line = yamlfile.line(paths[pack], ("rules", rule))
        problems.append(f"{paths[pack].name}: line {line}: rules.{rule}: {one.text}")
    if problems:
        raise InvalidRelease("\n".join(problems))
    return packs


def load_exemplars(path: Path) -> Exemplars:
    """Read scope exemplars from YAML; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Exemplars)


class Contradiction(NamedTuple):
    """Two demands that no sentence can meet together. `place` is the number of the pack and of the rule in it."""

    place: tuple[int, int]
    text: str


def contradictions(packs: Sequence[Pack]) -> list[Contradiction]:
    """Where the rules of one release demand contrary things; a rule that withholds is not asked about its own vectors.

    A rule may be stricter than another on a sentence that both read. It may not withhold what another is there to
    show: a vector to disclose or to rewrite, a text to rewrite to, a vector that stands word for word under `passes`.
    """
    placed = [((p, r), rule) for p, pack in enumerate(packs) for r, rule in enumerate(pack.rules)]
    first: dict[str, tuple[int, int]] = {}
    patterns: dict[tuple[str, str], Rule] = {}
    found = []
    for place, rule in placed:
        if first.setdefault(rule.id, place) != place:
            found.append(Contradiction(place, f"the rule {rule.id} stands in {packs[first[rule.id][0]].name} too"))
        for text in rule.patterns:
            other = patterns.setdefault((rule.reads, text), rule)
            if _deed(other) != _deed(rule):
                found.append(Contradiction(place, _same_pattern(rule, other, text)))
        found += [Contradiction(place, text) for text in _against(rule, [other for _, other in placed])]
    return found


def _deed(rule: Rule) -> tuple[str, str, str]:
    return rule.action, rule.reply if rule.reads == "question" or rule.action == "disclose" else "", rule.rewrite


def _same_pattern(rule: Rule, other: Rule, text: str) -> str:
    return f"{rule.id} ({rule.action}) and {other.id} ({other.action}) do different things at one pattern: {text!r}"


def _against(rule: Rule, rules: Sequence[Rule]) -> Iterator[str]:
    """What other rules that read the same, or the rule itself, do to the texts that the rule wants shown."""
    others = [other for other in rules if other is not rule and other.reads == rule.reads]
    stops = [other for other in others if other.action in ("block", "person")]
    if rule.rewrite:
        yield from _rewritten(rule, others)
    if rule.action in ("rewrite", "disclose"):
        yield from _stopped(rule, stops)
    for other in stops:
        for text in sorted(set(rule.passes).intersection(other.fires)):
            yield f"{rule.id} lets {text!r} pass, and {other.id} ({other.action}) fires on it"


def _rewritten(rule: Rule, others: Sequence[Rule]) -> Iterator[str]:
    for other in (rule, *others):
        if other.action in ("block", "person", "rewrite") and (words := other.match(rule.rewrite)):
            yield f"{rule.id} rewrites to a text on which {other.id} ({other.action}) fires, at {words!r}"
    for other in others:
        if other.rewrite not in ("", rule.rewrite) and (text := next(filter(other.match, rule.fires), None)):
            yield f"{rule.id} and {other.id} rewrite {text!r} to different texts"


def _stopped(rule: Rule, stops: Sequence[Rule]) -> Iterator[str]:
    for text in rule.fires:
        for other in stops:
            if words := other.match(text):
                yield f"{rule.id} ({rule.action}) and {other.id} ({other.action}) both fire on {text!r}, at {words!r}"
