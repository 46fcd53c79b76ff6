"""Which of two answers reviewers prefer: /prefer."""

from assistant import arguments, preference_panels
from assistant.arguments import Arguments
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import preference
from opsplane.access import Actor, Role
from opsplane.control import refusals
from opsplane.errors import InvalidRequest
from opsplane.preference import Choice, Side

_HOW = (
    "/prefer shows the next pair of answers, /prefer <id> that one; "
    '/prefer <id> a|b|tie [comment="…"] [again=yes] says which is better.'
)


async def _prefer(given: str, actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "prefer", _named(given), actor, "The preference could not be read."):
        actor.must_be(Role.REVIEWER)
        found = arguments.parse(given)
        if found.body:
            raise InvalidRequest(f'A preference is one line; a comment of several words is comment="…". {_HOW}')
        choice = _choice(found) if len(found.words) > 1 or found.values else None
    if choice:
        return preference_panels.decided(await preference.prefer(desk.ledger, choice, actor=actor))
    wanted = found.words[0] if found.words else ""
    return preference_panels.task(await preference.read_pair(desk.ledger, wanted, actor=actor, why=desk.why))


COMMANDS: tuple[Command, ...] = (
    Command(
        "prefer",
        '/prefer or /prefer <id> a|b|tie [comment="…"] [again=yes]',
        "Two releases' answers to one question, side by side without names; say which is better",
        "scale",
        (Role.REVIEWER,),
        _prefer,
        reads=True,
    ),
)


def _choice(found: Arguments) -> Choice:
    """What was said of a pair; raise `InvalidRequest` naming what cannot be read."""
    for name in found.values:
        if name not in ("comment", "again"):
            raise InvalidRequest(f"{name[:40]}=… is none of: comment, again. {_HOW}")
    if len(found.words) != 2:
        raise InvalidRequest(f"{_HOW} Text of several words stands in quotation marks.")
    identity, side = found.words
    if side.lower() not in list(Side):
        raise InvalidRequest(f"{side[:40]!r}: the better answer is one of {', '.join(Side)}. {_HOW}")
    again = found.values.get("again", "").lower()
    if again not in ("", "yes", "no"):
        raise InvalidRequest(f"again={again[:40]}: must be yes or no.")
    return Choice(identity, Side(side.lower()), found.values.get("comment", ""), again == "yes")


def _named(given: str) -> str:
    """What of the arguments goes on the record with a refusal: no words about a customer's exchange."""
    return " ".join(given.split()[:2])[:80]
