"""Commands that keep and destroy customers' words, and those that decide what needs two people.

Chat and terminal call the same functions. What is written as a reason goes on the record under the customer's key
alone: the command's own entry names the customer and nothing else.
"""

from typing import NoReturn

from assistant import arguments, custody_panels, document_commands, rollout_commands
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import control, custody, requests, seconding
from opsplane.access import Actor, Role
from opsplane.erasure import Custodian
from opsplane.errors import InvalidRequest
from opsplane.requests import Actions

_REVIEWER = (Role.REVIEWER,)
_HOW = "Write {usage}, with the reason in quotation marks."


async def hold(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<customer> reason="…"`: protect everything of a customer, at once."""
    named, reason = await _read("hold", given, actor, desk)
    placed = await custody.hold(custodian(desk), named, reason, actor=actor)
    return custody_panels.placed(placed)


async def release_hold(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<customer or hold> reason="…"`: ask for a hold to end."""
    named, reason = await _read("release-hold", given, actor, desk)
    request = await custody.release_hold(custodian(desk), named, reason, actor=actor)
    return custody_panels.asked(request, actions(desk)[request.action])


async def erase(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<customer> reason="…"`: ask for a customer to be erased."""
    named, reason = await _read("erase", given, actor, desk)
    request = await custody.erase(custodian(desk), named, reason, actor=actor)
    return custody_panels.asked(request, actions(desk)[request.action])


async def retention(given: str, actor: Actor, desk: Desk) -> Panel:
    """Nothing: show it; `apply`: destroy what is due; `years=… reason="…"`: ask for a longer one."""
    if not given.strip():
        return custody_panels.retention(await custody.retention_now(custodian(desk), actor=actor))
    if given.strip() == "apply":
        return custody_panels.applied(await custody.apply_now(custodian(desk), actor=actor))
    named, reason = await _read("retention", given, actor, desk)
    name, _, years = named.partition("=")
    if name != "years" or not years.isdecimal() or len(years) > 4:
        await _refuse("retention", actor, desk)
    request = await custody.lengthen(custodian(desk), int(years), reason, actor=actor)
    return custody_panels.asked(request, actions(desk)[request.action])


async def waiting(given: str, actor: Actor, desk: Desk) -> Panel:
    """Nothing: what waits for a second person; `<id>`: one request, and its receipt where it was an erasure."""
    if not given.strip():
        return custody_panels.waiting(
            await requests.waiting(desk.ledger, actions(desk), actor=actor), desk.ledger.clock()
        )
    request = await requests.look(desk.ledger, actions(desk), given.strip(), actor=actor)
    return custody_panels.request(request, await custody.receipt(custodian(desk), request))


async def approve(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<id>`: agree to a request of somebody else's; what customers would see is told first."""
    told = await rollout_commands.agreeing(given.strip(), actor, desk)
    if panel := told or await document_commands.agreeing(given.strip(), actor, desk):
        return panel
    decision = await requests.approve(desk.ledger, actions(desk), given.strip(), actor=actor)
    if decision.request.action in document_commands.actions(desk):
        return await document_commands.approved(decision, desk)
    return custody_panels.approved(decision)


async def reject(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<id> reason="…"`: say no, or take back a request of one's own."""
    named, reason = await _read("reject", given, actor, desk)
    decision = await requests.reject(desk.ledger, actions(desk), named, reason, actor=actor)
    await document_commands.tidy(desk)
    return custody_panels.rejected(decision)


def custodian(desk: Desk) -> Custodian:
    """What custody works on, from the desk."""
    return Custodian(desk.ledger, desk.notary.signer, desk.forget)


def actions(desk: Desk) -> Actions:
    """Everything that needs two people; other families of commands add theirs here."""
    helm = desk.watcher.helm
    return {**custody.actions(custodian(desk)), **seconding.actions(helm), **document_commands.actions(desk)}


COMMANDS: tuple[Command, ...] = (
    Command("hold", '/hold <customer> reason="…"', "Protect everything of a customer at once", "lock", _REVIEWER, hold),
    Command(
        "release-hold",
        '/release-hold <customer> reason="…"',
        "Ask for a hold to end; a second person decides",
        "lock-open",
        _REVIEWER,
        release_hold,
    ),
    Command(
        "erase",
        '/erase <customer> reason="…"',
        "Ask for everything of a customer to be erased; a second person decides",
        "eraser",
        _REVIEWER,
        erase,
    ),
    Command(
        "retention",
        '/retention [apply | years=… reason="…"]',
        "How long content is kept, what is due, what is held",
        "calendar-clock",
        requests.DECIDERS,
        retention,
    ),
    Command("requests", "/requests [id]", "What waits for a second person", "inbox", requests.STAFF, waiting),
    Command(
        "approve",
        "/approve <id>",
        "Agree to what somebody else asked for; it is carried out",
        "check",
        requests.STAFF,
        approve,
    ),
    Command(
        "reject",
        '/reject <id> reason="…"',
        "Say no to a request, or take your own back",
        "x",
        requests.STAFF,
        reject,
    ),
)


async def _read(command: str, given: str, actor: Actor, desk: Desk) -> tuple[str, str]:
    """The one word and the reason; what cannot be read is refused, on the record too."""
    read = parsed(given)
    if read is None:
        await _refuse(command, actor, desk)
    return read[0], read[1] or desk.why


def parsed(given: str) -> tuple[str, str] | None:
    """`word reason="…"` in any order; None where it is not that. A missing part is empty."""
    try:
        read = arguments.parse(given)
    except InvalidRequest:  # its words quote what was typed, and a refusal's words stay readable for good
        return None
    if len(read.words) > 1 or read.body or not set(read.values) <= {"reason", "years"}:
        return None
    years = [f"years={read.values['years']}"] if "years" in read.values else []
    return " ".join([*read.words, *years]), read.values.get("reason", "")


async def _refuse(command: str, actor: Actor, desk: Desk) -> NoReturn:
    one = next(one for one in COMMANDS if one.name == command)
    async with control.refusals(desk.ledger, command, "", actor):
        actor.must_be(*one.roles)
        raise InvalidRequest(_HOW.format(usage=one.usage))
