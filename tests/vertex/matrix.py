"""`python -m tests.vertex.matrix`: every fault at every call that a turn makes, and what came of it: docs/faults.md.

What may never happen is looked for in every turn (`Cell.problems`); what did happen is a line of the table. Faults that
hang meet a release with short deadlines, all others one with deadlines that no slow machine reaches: so the table is
the same wherever it is made.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from assistant import chat
from assistant.ladder import EMBEDDED
from assistant.panels import Panel
from assistant.signin import demo_person
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange, Outcome
from opsplane.finding import Action
from opsplane.guardrails.rails import refused
from opsplane.release import Release
from opsplane.spend import Purpose
from tests.vertex.cloud import LOCATION
from tests.vertex.faults import COMMON, Kind
from tests.vertex.matrix_product import HASTY, LIE, PATIENT, ROOT, Kit, Liar, Product, kit, product
from tests.vertex.server import serving
from tests.vertex.services import VERBS

TABLE = ROOT / "docs" / "faults.md"
POLICY, ACCOUNT = "How much is the overdraft fee?", "What is my checking balance?"
HERE = f"locations/{LOCATION}"
SLACK = 5.0
"""Seconds that all of a turn but its models may take on a busy machine."""
_CUT = (Kind.DROPS, Kind.TRUNCATED, Kind.GARBLED)
_STREAM = frozenset({Kind.BLOCKED, Kind.SAFETY, Kind.TOO_LONG})
_WHOLE, _PIECES = 10_000, 24
"""Tokens that a stream sends at once: all, so that a bill is noted before anything of it arrives; or some."""
_LATE = "drops late"


@dataclass(frozen=True)
class Call:
    """A call that a turn makes, and which faults it can meet; the first `spared` calls of its verb meet none."""

    name: str
    verb: str
    where: str = ""
    question: str = POLICY
    spared: int = 0
    also: frozenset[Kind] = frozenset()
    only: frozenset[Kind] = COMMON
    late: bool = False
    lies: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The faults, by name."""
        kinds = [kind.value for kind in Kind if kind in self.only | self.also]
        return (*kinds, *([_LATE] if self.late else []))


Wanted = Callable[[Call, str], bool]
"""Which faults are tried at which calls."""

CALLS = (
    Call("keeping the prompt: tokens counted", "gemini.count"),
    Call("keeping the prompt: caches listed", "gemini.cache.list"),
    Call("keeping the prompt: cache made", "gemini.cache.create"),
    Call("Gemini with a kept prompt", "gemini.stream", HERE, only=frozenset({Kind.EXPIRED})),
    Call("Gemini in the first region", "gemini.stream", HERE, also=_STREAM, late=True),
    Call("Gemini everywhere", "gemini.stream", also=_STREAM, late=True),
    Call("Gemini, asking for a tool", "gemini.stream", HERE, ACCOUNT, also=frozenset({Kind.MALFORMED})),
    Call("Gemini, after a tool", "gemini.stream", HERE, ACCOUNT, spared=1),
    Call("Gemini, mending a sentence", "gemini.stream", HERE, spared=1, lies=True),
    Call("Vector Search: the collection", "collection.get"),
    Call("Vector Search: the neighbours", "objects.search"),
    Call("Vertex AI Search", "search.search"),
    Call("Ranking", "search.rank"),
    Call("Check grounding", "search.check"),
    Call("Model Armor: the question", "armor.prompt"),
    Call("Model Armor: the answer", "armor.response"),
)
"""In the order in which they are tried: tokens are counted once, so that must fail before it may succeed."""


@dataclass
class Screen:
    """What the customer was shown."""

    said: list[Sentence] = field(default_factory=list)
    panels: list[str] = field(default_factory=list)

    async def step(self, name: str, detail: str) -> None:
        """Not looked at."""

    async def say(self, sentence: Sentence, evidence: Sequence[Evidence]) -> None:
        """A sentence."""
        self.said.append(sentence)

    async def show(self, panel: Panel) -> None:
        """An apology: nothing else is shown in answer to a question."""
        self.panels.append(panel.text)

    async def done(self, exchange: Exchange) -> None:
        """The end."""


@dataclass(frozen=True)
class Cell:
    """What came of one fault at one call; `problems` are what may not be."""

    call: str
    fault: str
    shown: str
    who: str
    record: str
    problems: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """A row of the call's table."""
        return f"| {self.fault} | {self.shown} | {self.who} | {self.record} |"


async def cells(made: Product, wanted: Wanted) -> list[Cell]:
    """The cells that are wanted: first what answers or fails at once, then what hangs."""
    found: dict[tuple[str, str], Cell] = {}
    models = made.app.parts.prices.models.items()
    unpriced = {name: one.model_copy(update={"storage": None}) for name, one in models}
    # a prompt is kept from the first call on, where nobody knows what it costs
    free = made.app.parts.prices.model_copy(update={"models": unpriced})
    every = [(call, name) for call in CALLS for name in _slow_last(call) if wanted(call, name)]
    hanging = [one for one in every if one[1] == Kind.HANGS.value]
    async with kit(made, PATIENT, prices=free) as parts:
        for call, name in every:
            if name != Kind.HANGS.value:
                found[call.name, name] = await _cell(made, parts, call, name)
    for call, name in [one for one in hanging if one[0] in CALLS[:3]]:  # of each other's caches they may know nothing
        async with kit(made, HASTY, prices=free) as parts:
            found[call.name, name] = await _cell(made, parts, call, name)
    async with kit(made, HASTY) as parts:
        for call, name in [one for one in hanging if one[0] not in CALLS[:3]]:
            found[call.name, name] = await _cell(made, parts, call, name)
    return [found[call.name, name] for call in CALLS for name in call.columns if wanted(call, name)]


def _slow_last(call: Call) -> list[str]:
    return sorted(call.columns, key=lambda name: name == Kind.SLOW.value)


async def _cell(made: Product, parts: Kit, call: Call, name: str) -> Cell:
    """One turn under one fault."""
    cloud, kind = made.cloud, Kind.DROPS if name == _LATE else Kind(name)
    app = parts.fresh() if call.verb.startswith(("armor", "search.check")) else parts.app
    made.clock.moved += 3_600
    parts.caches_clock.moved += 700
    await _prepare(made, parts, call)
    cloud.held["answering"] = Liar(made.honest) if call.lies else made.honest
    cloud.held["gemini"] = {"chunk": _PIECES if name == _LATE else _WHOLE}
    cloud.calls.clear()
    if call.spared:
        cloud.faults.add(Kind.SLOW, call.verb, call.where, times=call.spared, seconds=0.0)
    cloud.faults.add(kind, call.verb, call.where, seconds=0.2, bytes=1_400 if name == _LATE else 60)
    screen, customer = Screen(), demo_person("customer")
    assert customer
    try:
        exchange = await chat.reply(call.question, customer.actor, customer.customer, str(uuid4()), app, screen)
        if kind is not Kind.HANGS:
            await asyncio.to_thread(parts.caches.settle)
    finally:
        cloud.faults.clear()
    if exchange is None:
        return Cell(call.name, name, "an apology", "nobody", "", (f"no exchange: {screen.panels}",))
    looked = Looked(call, kind, exchange, screen, parts.release, made)
    return Cell(call.name, name, looked.shown(), looked.who(), looked.record(), tuple(looked.problems()))


async def _prepare(made: Product, parts: Kit, call: Call) -> None:
    """Bring about that the call is made."""
    faults = made.cloud.faults
    if call.verb in ("gemini.cache.list", "gemini.cache.create"):
        faults.add(Kind.EXPIRED, "gemini.stream", times=1)
    if call.verb == "gemini.cache.create":
        made.cloud.held.pop("gemini caches", None)
    if call.verb == "collection.get":  # it is known after the first question, until one fails
        faults.add(Kind.DENIED, "objects.search", times=1)
        faults.add(Kind.DENIED, "collection.get", times=1)
        await parts.app.parts.retrieve(POLICY, parts.release)
        faults.clear()


@dataclass(frozen=True)
class Looked:
    """A turn that was made, to be looked into."""

    call: Call
    kind: Kind
    exchange: Exchange
    screen: Screen
    release: Release
    made: Product

    @property
    def own_words(self) -> list[Sentence]:
        """What was said that is no fixed reply of the release, as far as that is fixed."""
        fixed = tuple(text.partition("{")[0] for text in self.release.replies.values())
        return [one for one in self.screen.said if not one.text.startswith(fixed)]

    def shown(self) -> str:
        """What the customer got."""
        one, replies = self.exchange, {text: name for name, text in self.release.replies.items()}
        if one.outcome is not Outcome.ANSWERED:
            said = [replies[sentence.text] for sentence in self.screen.said if sentence.text in replies]
            return f"the reply `{said[0]}`" if said else one.outcome.value
        partial = any(replies.get(sentence.text) == "partial" for sentence in self.screen.said)
        return "part of an answer, and that it is not all" if partial else "the answer"

    def who(self) -> str:
        """Who answered; of what hangs, who is in time depends on the machine."""
        route = self.exchange.route
        if route is None:
            return "–"
        if not self.own_words:
            return "nobody"
        if self.kind is Kind.HANGS and self.exchange.reroutes:
            return "another region, else the embedded model" if self.call.where else "the embedded model"
        if route.model == EMBEDDED:
            return "the embedded model"
        return f"{route.tier.value.capitalize()} in {route.region}"

    def record(self) -> str:
        """The codes on the record that tell of the fault, each once."""
        codes = [one.code for one in self.exchange.reroutes]
        codes += [one.code for one in self.exchange.findings if _tells(one.code)]
        return ", ".join(f"`{one}`" for one in dict.fromkeys(codes)) or "–"

    def problems(self) -> list[str]:
        """What may not be."""
        found = [*self._unrecorded(), *self._unchecked(), *self._misbooked()]
        first, models = self.exchange.first_sentence_ms, self.release.models.resilience
        assert models
        deadline = models.first_token_seconds + SLACK
        if self.kind is Kind.HANGS and self.call.verb == "gemini.stream" and (first or 0) > 1_000 * deadline:
            found.append(f"the first sentence came after {first} ms")
        return found

    def _unrecorded(self) -> list[str]:
        one, found = self.exchange, []
        if one.outcome in (Outcome.RECEIVED, Outcome.FAILED, Outcome.STOPPED) and one.error:
            found.append(f"an exception met the turn: {one.error}")
        if one.outcome is Outcome.RECEIVED:
            found.append("the turn has no ending")
        if self.made.app.parts.ledger.exchange(one.id) != one:
            found.append("the record tells another exchange")
        if self.screen.panels or not self.screen.said:
            found.append(f"the customer was shown {self.screen.panels or 'nothing'}")
        if tuple(self.screen.said) != one.sentences:
            found.append("what was shown is not what is recorded")
        return found

    def _unchecked(self) -> list[str]:
        """Sentences that our checks refuse, or that another system was not asked about, or gave no answer to."""
        rails, cloud, found = self.made.app.parts.rails, self.made.cloud, []
        bad = {one.span for one in self.exchange.findings if one.action is Action.WITHHOLD}
        asked = {
            "search.check": {call.body["answerCandidate"] for call in cloud.heard("search.check")},
            "armor.response": {call.body["modelResponseData"]["text"] for call in cloud.heard("armor.response")},
        }
        for one in self.own_words:
            if refused(rails.own(one, self.exchange.evidence, self.release)) or one.text[:120] in bad:
                found.append(f"a sentence was shown that did not pass: {one.text}")
            if any(one.text not in texts for texts in asked.values()):
                found.append(f"a sentence was shown that was not looked at: {one.text}")
        if self.own_words and self.call.verb in asked and self.kind is not Kind.SLOW:
            found.append("a sentence was shown without a verdict")
        if any(LIE in one.text for one in self.screen.said):
            found.append("what was made up was shown")
        return found

    def _misbooked(self) -> list[str]:
        """Tokens by model and region against the server's bills, as far as the server told them."""
        told: dict[tuple[str, str], list[int]] = {}
        for number, bill in enumerate(self.made.cloud.held["gemini"].get("bills", [])):
            if not self._cut_off(number, bill["location"]):
                _add(told, (f"google_genai:{bill['model']}", bill["location"]), bill["input"], bill["output"])
        booked: dict[tuple[str, str], list[int]] = {}
        for cost in self.exchange.costs:
            if cost.purpose is Purpose.ANSWER and (cost.usage.input or cost.usage.output) and cost.model != EMBEDDED:
                _add(booked, (cost.model, cost.region), cost.usage.input, cost.usage.output)
        return [f"booked {booked}, billed {told}"] if booked != told else []

    def _cut_off(self, number: int, location: str) -> bool:
        """Whether a call was billed, and its answer did not arrive to the end."""
        hit = self.call.verb == "gemini.stream" and self.kind in _CUT and number >= self.call.spared
        return hit and self.call.where in f"locations/{location}"


def _tells(code: str) -> bool:
    return code.startswith("model.") or code.endswith((".unavailable", ".unreadable"))


def _add(sums: dict[tuple[str, str], list[int]], key: tuple[str, str], *tokens: int) -> None:
    sums[key] = [one + more for one, more in zip(sums.get(key, [0, 0]), tokens, strict=True)]


def run(wanted: Wanted = lambda *_: True) -> list[Cell]:
    """The matrix, or the cells of it that are wanted."""
    with serving(VERBS) as cloud, product(cloud) as made:
        return asyncio.run(cells(made, wanted))


def page(found: Sequence[Cell]) -> str:
    """docs/faults.md."""
    lines = {call.name: "\n".join(one.line for one in found if one.call == call.name) for call in CALLS}
    return "\n\n".join([_HEAD, _overview(found), *(f"{heading(call)}\n{lines[call.name]}" for call in CALLS)]) + "\n"


def heading(call: Call) -> str:
    """What stands above a call's lines."""
    return f"## {call.name}\n\n`{call.verb}`{_whereabouts(call)}\n\n{_TITLES}"


def _overview(found: Sequence[Cell]) -> str:
    names = [kind.value for kind in Kind] + [_LATE]
    known = {(one.call, one.fault): _short(one) for one in found}
    head = [f"| call | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    rows = [f"| {one.name} | {' | '.join(known.get((one.name, name), '') for name in names)} |" for one in CALLS]
    return "\n".join([*head, *rows])


def _short(cell: Cell) -> str:
    if cell.shown == "the answer":
        return "answer"
    return "part" if cell.shown.startswith("part") else cell.shown.removeprefix("the reply ")


def _whereabouts(call: Call) -> str:
    told = [f"in {LOCATION} alone"] if call.where else []
    told += ["the first call of the turn is spared"] if call.spared else []
    told += ["the model makes up its first sentence"] if call.lies else []
    return "".join(f", {one}" for one in told) + f". Asked: “{call.question}”"


_TITLES = "| fault | the customer gets | who answered | the record says |\n|---|---|---|---|"
_HEAD = """# Every fault at every call

Written by `python -m tests.vertex.matrix`; `tests/vertex/test_matrix.py` tries every call again with some of its
faults, and fails where the product does otherwise.

The product runs with everything in Google Cloud that a release can switch on, against the local server of
`tests/vertex`, and answers one question for each cell. In every cell: no exception reaches the customer; the turn is on
the record with its ending, as it was shown; no sentence was shown that our own checks refuse, or that check grounding
or Model Armor did not look at and let pass; what was booked for each model and region is what the server billed and
told, once. Where a model hangs the first sentence comes within the release's `first_token_seconds`.

Faults: a status is answered each time; *slow* comes late and in time, *hangs* never answers; *drops* breaks the
connection at the beginning of the answer and *drops late* after a sentence, *truncated* ends it early, *garbled* is no
JSON; *blocked*, *safety*, *too long*, *malformed* and *expired* are Gemini's own. In code letters stands the name of
the release's fixed reply; an empty field is a fault that the call cannot have."""


def main(path: Path = TABLE) -> int:
    """Write the page; 1 where something happened that may not."""
    found = run()
    path.write_text(page(found), encoding="utf-8")
    problems = [f"{one.call}, {one.fault}: {told}" for one in found for told in one.problems]
    sys.stdout.write("\n".join([*problems, f"{len(found)} cells, {len(problems)} problems: {path}"]) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
