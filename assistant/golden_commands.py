"""Cases made of customers' exchanges: /golden, for reviewers."""

from assistant import arguments, golden_panels
from assistant.arguments import Arguments
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import casebook
from opsplane.access import Actor, Role
from opsplane.casebook import Expected, Wanted
from opsplane.control import refusals
from opsplane.errors import InvalidRequest

_FIELDS = ("kind", "name", "tags", "expect", "facts", "documents")
_HOW = (
    "/golden lists the cases; /golden add <exchange> [kind=…] [name=…] [tags=a,b] [expect=answer|decline] "
    '[facts="a|b"] [documents="a|b"] makes one, the lines below it being the right answer; '
    "/golden remove <name> <why> takes one out."
)


async def _golden(given: str, actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "golden", _named(given), actor, "What was asked for could not be read."):
        actor.must_be(Role.REVIEWER)
        found = arguments.parse(given)
        deed = found.words[0].lower() if found.words else ""
        wanted = _wanted(found) if deed == "add" else None
        name, reason = _removal(found, desk.why) if deed == "remove" else ("", "")
        if deed not in ("", "add", "remove") or (not deed and (found.values or found.body)):
            raise InvalidRequest(_HOW)
    if wanted:
        event = await casebook.add(desk.ledger, wanted, actor=actor, why=desk.why)
        return golden_panels.added(event)
    if name:
        return golden_panels.removed(await casebook.remove(desk.ledger, name, reason, actor=actor, why=desk.why))
    return golden_panels.listed(await casebook.read(desk.ledger, actor=actor, why=desk.why))


COMMANDS: tuple[Command, ...] = (
    Command(
        "golden",
        '/golden [add <exchange> [kind=…] [name=…] [tags=…] [expect=decline] [facts="a|b"] | remove <name> <why>]',
        "Cases made of customers' exchanges; lines below the command are the right answer",
        "book-check",
        (Role.REVIEWER,),
        _golden,
        reads=True,
    ),
)


def _wanted(found: Arguments) -> Wanted:
    """The case that was asked for; raise `InvalidRequest` naming what cannot be read."""
    for name in found.values:
        if name not in _FIELDS:
            raise InvalidRequest(f"{name[:40]}=… is none of: {', '.join(_FIELDS)}. {_HOW}")
    if len(found.words) != 2:
        raise InvalidRequest(f"Which exchange? {_HOW} Text of several words stands in quotation marks.")
    values = found.values
    return Wanted(
        exchange=found.words[1],
        name=values.get("name", ""),
        kind=values.get("kind", "") or Wanted.kind,
        tags=_several(values.get("tags", ""), ","),
        expect=_expected(values.get("expect", "")),
        facts=_several(values.get("facts", ""), "|"),
        documents=_several(values["documents"], "|") if "documents" in values else None,
        corrected=found.body,
    )


def _removal(found: Arguments, why: str) -> tuple[str, str]:
    """The case's name and the reason: the words behind it, or what `reason=…` gave."""
    if found.values or len(found.words) < 2:
        raise InvalidRequest(f"Which case, and why? {_HOW}")
    return found.words[1], " ".join(found.words[2:]) or why


def _several(given: str, by: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in given.split(by) if one.strip())


def _expected(given: str) -> Expected | None:
    match given.lower():
        case "":
            return None
        case "answer":
            return "answer"
        case "decline":
            return "decline"
    raise InvalidRequest(f"expect={given[:40]}: must be answer or decline.")


def _named(given: str) -> str:
    """What of the arguments goes on the record with a refusal: no words about a customer's exchange."""
    return " ".join(given.split()[:2])[:80]
