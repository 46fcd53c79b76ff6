"""What reviewers judge: /review; how far they came and what they corrected: /coverage and /corrections."""

import asyncio
from datetime import date
from enum import StrEnum
from typing import TypeVar

from assistant import arguments, review_panels
from assistant.arguments import Arguments
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import corrections, oversight
from opsplane.access import Actor, Role
from opsplane.control import refusals
from opsplane.criteria import rubric
from opsplane.days import Days
from opsplane.errors import InvalidRequest
from opsplane.ledger import reviews
from opsplane.oversight import Judgement, Second
from opsplane.review import Reason, Verdict

_HOW = (
    "/review shows the next one, /review reason=thumbs_down the next of a reason, /review again=yes one for a second "
    "opinion, /review <id> that one; "
    '/review <id> right|wrong|unsure [<criterion>=1-5 …] [score=0-100] [comment="…"] [corrected="…"] judges it.'
)


async def _review(given: str, actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "review", _named(given), actor, "The verdict could not be read."):
        actor.must_be(Role.REVIEWER)
        found = arguments.parse(given)
        judgement = _judgement(found) if len(found.words) > 1 or "verdict" in found.values else None
        wanted = None if judgement else _wanted(found)
    if judgement is None:
        task = await oversight.read_review(desk.ledger, desk.leases, wanted, actor=actor, why=desk.why)
        return review_panels.task(task, wanted.value if isinstance(wanted, Reason | Second) else "")
    event = await oversight.judge(desk.ledger, desk.leases, judgement, actor=actor)
    return review_panels.decided(event, await asyncio.to_thread(reviews.waiting, desk.ledger))


async def _coverage(given: str, actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "coverage", given[:200], actor, "The days could not be read."):
        actor.must_be(Role.REVIEWER)
        days = _days(given)
    found = await oversight.read_coverage(desk.ledger, days.since, days.until, actor=actor, why=desk.why)
    return review_panels.coverage(found, str(days))


async def _corrections(given: str, actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "corrections", given[:200], actor, "The days could not be read."):
        actor.must_be(Role.REVIEWER)
        days = _days(given)
    found = await corrections.read_corrections(desk.ledger, days, actor=actor, why=desk.why)
    return review_panels.corrections(found, str(days))


_READER = (Role.REVIEWER,)
_CRITERIA = " ".join(f"{name}=1-5" for name in rubric().names)
COMMANDS: tuple[Command, ...] = (
    Command(
        "review",
        f'/review [reason=… | again=yes] or /review <id> right|wrong|unsure [{_CRITERIA}] [score=0-100] [comment="…"]',
        "The next answer to look at, or your verdict on one; lines below the command are the corrected answer",
        "list-checks",
        _READER,
        _review,
        reads=True,
    ),
    Command(
        "coverage",
        "/coverage [since=…] [until=…]",
        "What share was reviewed, by whom, and how far reviewers agree",
        "chart-pie",
        _READER,
        _coverage,
        reads=True,
    ),
    Command(
        "corrections",
        "/corrections [since=…] [until=…]",
        "The answers that reviewers corrected, with question, sources and marks as JSONL to learn from",
        "pencil-line",
        _READER,
        _corrections,
        reads=True,
    ),
)


def _wanted(found: Arguments) -> Reason | Second | str | None:
    """The reason or the id that was asked for, or a second opinion; raise `InvalidRequest`."""
    if found.body or found.values.keys() & {"score", "comment", "corrected", *rubric().names}:
        raise InvalidRequest(f"What is right, wrong or unsure? {_HOW}")
    _only(found, "reason", "again")
    if found.words:
        return found.words[0]
    if "reason" not in found.values:
        return Second.SECOND if _yes("again", found.values.get("again", "")) else None
    return _choice(Reason, "reason", found.values["reason"])


def _judgement(found: Arguments) -> Judgement:
    """What was said of an exchange; raise `InvalidRequest` naming what cannot be read."""
    marked = rubric().names
    _only(found, "verdict", "score", "comment", "corrected", "again", *marked)
    words = [*found.words, *([found.values["verdict"]] if "verdict" in found.values else [])]
    if len(words) != 2:
        raise InvalidRequest(f"{_HOW} Text of several words stands in quotation marks.")
    corrected = found.values.get("corrected", "")
    if corrected and found.body:
        raise InvalidRequest("Give the corrected answer once: as corrected=… or on the lines below.")
    return Judgement(
        exchange=words[0],
        verdict=_choice(Verdict, "verdict", words[1]),
        score=_score(found.values.get("score", "")),
        comment=found.values.get("comment", ""),
        corrected=corrected or found.body,
        again=_yes("again", found.values.get("again", "")),
        marks=rubric().marks({name: value for name, value in found.values.items() if name in marked}),
    )


def _only(found: Arguments, *known: str) -> None:
    for name in found.values:
        if name not in known:
            raise InvalidRequest(f"{name[:40]}=… is none of: {', '.join(known)}. {_HOW}")


_Kind = TypeVar("_Kind", bound=StrEnum)


def _choice(kind: type[_Kind], name: str, given: str) -> _Kind:
    try:
        return kind(given.lower())
    except ValueError as error:
        raise InvalidRequest(f"{name}={given[:40]}: must be one of {', '.join(kind)}.") from error


def _score(given: str) -> int | None:
    if given and not (given.isdecimal() and len(given) <= 3):
        raise InvalidRequest(f"score={given[:40]}: a score is a whole number from 0 to 100.")
    return int(given) if given else None


def _yes(name: str, given: str) -> bool:
    if given.lower() not in ("", "yes", "no"):
        raise InvalidRequest(f"{name}={given[:40]}: must be yes or no.")
    return given.lower() == "yes"


def _days(given: str) -> Days:
    names = ("since", "until")
    found = arguments.filters(given, names)
    days = Days(*(_day(name, found.get(name, "")) for name in names))
    if days.since and days.until and days.until < days.since:
        raise InvalidRequest(f"until={days.until} is before since={days.since}.")
    return days


def _day(name: str, given: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError as error:
        raise InvalidRequest(f"{name}={given[:40]}: must be a day like 2026-11-23.") from error


def _named(given: str) -> str:
    """What of the arguments goes on the record with a refusal: no words about a customer's exchange."""
    return " ".join(given.split()[:2])[:80]
