"""What the guardrails found and whether they were right: /guardrails and /findings."""

from datetime import date

from assistant import arguments, guardrail_panels
from assistant.arguments import Arguments
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import marking
from opsplane.access import Actor, Role
from opsplane.control import refusals
from opsplane.days import Days
from opsplane.errors import InvalidRequest
from opsplane.marking import Mark

_FILTERS = ("release", "since", "until")
_HOW = (
    "/guardrails [release=…] [since=…] [until=…] counts; /findings <code> shows where; "
    '/guardrails mark <exchange> <code> right|wrong [comment="…"] says whether it should have.'
)


async def _guardrails(given: str, actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "guardrails", given[:200], actor, "What was asked for could not be read."):
        actor.must_be(*marking.READERS)
        found = arguments.parse(given)
        mark = _mark(found) if found.words[:1] == ("mark",) else None
        days = None if mark else _days(found)
    if mark:
        return guardrail_panels.marked(await marking.mark(desk.ledger, mark, actor=actor))
    release = found.values.get("release", "")
    counts = await marking.counted(desk.ledger, days or Days(), release, actor=actor)
    return guardrail_panels.counts(counts, _what(found))


async def _findings(given: str, actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "findings", given[:200], actor, "Which findings could not be read."):
        actor.must_be(Role.REVIEWER)
        found = arguments.parse(given)
        if len(found.words) != 1 or found.values.keys() - {"release"}:
            raise InvalidRequest("Which findings? /findings <code> [release=…]; /guardrails lists the codes.")
    release = found.values.get("release", "")
    shown = await marking.examples(desk.ledger, found.words[0], release, actor=actor, why=desk.why)
    return guardrail_panels.examples(shown, found.words[0])


COMMANDS: tuple[Command, ...] = (
    Command(
        "guardrails",
        '/guardrails [release=…] [since=…] [until=…], or mark <exchange> <code> right|wrong [comment="…"]',
        "What the guardrails found and how often, by release; a reviewer's mark says whether they were right",
        "shield-alert",
        marking.READERS,
        _guardrails,
    ),
    Command(
        "findings",
        "/findings <code> [release=…]",
        "Where a check fired: the newest exchanges with the words, the score and the threshold",
        "scan-search",
        (Role.REVIEWER,),
        _findings,
        reads=True,
    ),
)


def _mark(found: Arguments) -> Mark:
    if len(found.words) != 4 or found.words[3] not in ("right", "wrong") or found.values.keys() - {"comment"}:
        raise InvalidRequest(f"A mark names an exchange, a code, and right or wrong. {_HOW}")
    _, exchange, code, verdict = found.words
    return Mark(exchange, code, "right" if verdict == "right" else "wrong", found.values.get("comment", ""))


def _days(found: Arguments) -> Days:
    if found.words:
        raise InvalidRequest(f"{found.words[0][:40]!r} is neither a filter nor `mark`. {_HOW}")
    for name in found.values:
        if name not in _FILTERS:
            raise InvalidRequest(f"{name[:40]}=… is none of: {', '.join(_FILTERS)}. {_HOW}")
    return Days(_day(found, "since"), _day(found, "until"))


def _day(found: Arguments, name: str) -> date | None:
    given = found.values.get(name, "")
    try:
        return date.fromisoformat(given) if given else None
    except ValueError as error:
        raise InvalidRequest(f"{name}={given[:40]}: write a day as 2026-11-01.") from error


def _what(found: Arguments) -> str:
    parts = [f"{name} {found.values[name]}" for name in _FILTERS if found.values.get(name)]
    return ", ".join(parts) or "on the whole record"
