"""Slash commands: what is typed or picked becomes one call into `opsplane`; who reads the record is asked why."""

import difflib
import re
from dataclasses import replace

from assistant import (
    arguments,
    audit_commands,
    cost_commands,
    custody_commands,
    document_commands,
    evaluation_commands,
    export_commands,
    golden_commands,
    guardrail_commands,
    index_commands,
    intents,
    judge_commands,
    panels,
    preference_commands,
    quality_commands,
    queue_commands,
    reasons,
    release_commands,
    review_commands,
    rollout_commands,
    rollout_panels,
    routing_commands,
)
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import control
from opsplane.access import Actor, Role
from opsplane.errors import InvalidRequest, NotFound
from opsplane.intent import STEERS
from opsplane.review import Reason

LONGEST = 500
"""Characters of a reason that are kept."""


async def _help(_arguments: str, actor: Actor, desk: Desk) -> Panel:
    async with control.recorded(desk.ledger, "help", "", actor):
        rows = [(one.usage, one.description) for one in for_role(actor.role)]
    text = "Type a question, or one of these commands:" if len(rows) > 1 else "Just type your question."
    return Panel(f"### What you can do here\n\n{text}\n\n{panels.table(('Command', 'What it does'), rows)}")


async def _status(_arguments: str, actor: Actor, desk: Desk) -> Panel:
    state, latest = await control.status(desk.plane, desk.ledger, actor=actor)
    return panels.status(state, latest, rollout_panels.banner(state, desk.ledger.clock()))


async def _reason(given: str, actor: Actor, desk: Desk) -> Panel:
    text = _tidy(given)
    async with control.recorded(desk.ledger, "reason", "", actor, why=text):
        actor.must_be(*_READERS)
        if text and not reasons.is_reason(text):
            raise InvalidRequest(f"A reason has at least {reasons.SHORTEST} letters or digits.")
        if not desk.talk:
            raise InvalidRequest("A reason is kept for a conversation; on a terminal give it with --reason each time.")
    if text:
        desk.reasons.give(actor.id, desk.talk, text, desk.ledger.clock())
    known = desk.reasons.known(actor.id, desk.talk, desk.ledger.clock())
    if not known:
        return Panel("No reason was given in this conversation yet. `/reason …` gives it.")
    until = panels.moment(desk.reasons.until(actor.id, desk.talk))
    told = f"It counts in this conversation until {until} UTC."
    return Panel(f"**Why you read the record:** {panels.plain(known)}\n\n{told}")


_UNREAD = "The command could not be read."
_STAFF = control.STAFF
_READERS = (Role.REVIEWER,)
_OWN = (
    Command("help", "/help", "What you can do here", "circle-help", (), _help),
    Command("status", "/status", "What serves customers now", "activity", _STAFF, _status),
    Command("reason", "/reason [why]", "Why you read the record: set or show it", "message-circle", _READERS, _reason),
)
_FAMILIES = (
    _OWN,
    release_commands.COMMANDS,
    rollout_commands.COMMANDS,
    cost_commands.COMMANDS,
    routing_commands.COMMANDS,
    export_commands.COMMANDS,
    audit_commands.COMMANDS,
    review_commands.COMMANDS,
    preference_commands.COMMANDS,
    golden_commands.COMMANDS,
    evaluation_commands.COMMANDS,
    judge_commands.COMMANDS,
    quality_commands.COMMANDS,
    guardrail_commands.COMMANDS,
    custody_commands.COMMANDS,
    queue_commands.COMMANDS,
    document_commands.COMMANDS,
    index_commands.COMMANDS,
)
COMMANDS = {one.name: one for family in _FAMILIES for one in family}


def for_role(role: Role) -> list[Command]:
    """The commands that people of this role may run."""
    return [one for one in COMMANDS.values() if one.open_to(role)]


async def run(text: str, actor: Actor, desk: Desk, *, talk: str = "", customer: str = "") -> Panel:
    """Run what was typed after the slash; raise `PlaneError` where it cannot be, and record that.

    Who reads the record without a reason is asked for it in the conversation `talk`, and the command waits; on a
    terminal, where there is none, it is refused. `customer` is whose conversation it is, empty for staff.
    """
    desk.reasons.abandon(actor.id, talk)
    desk.intents.take(actor.id, talk, desk.ledger.clock())
    name, given = _parted(text)
    command = COMMANDS.get(name.lower())
    if command is None:
        async with control.recorded(desk.ledger, name[:40], given[:200], actor):
            raise NotFound(_nearest(name, actor))
    await queue_commands.must_be_free(command.name, actor, desk, talk)
    if not command.reads or not command.open_to(actor.role):
        return await command.run(given, actor, replace(desk, talk=talk, customer=customer))
    async with control.refusals(desk.ledger, command.name, _unquoted(given), actor, _UNREAD):
        rest, told = _without_reason(given)
        at = desk.ledger.clock()
        reason = _tidy(told or desk.why) or desk.reasons.known(actor.id, talk, at)
        if not reasons.is_reason(reason):
            if not talk:
                raise InvalidRequest('Reading the record needs a reason: give it with --reason "…".')
            desk.reasons.wait(actor.id, talk, f"/{command.name} {rest}", at)
            return Panel(reasons.ASK)
    if told and talk:
        desk.reasons.give(actor.id, talk, reason, at)
    return replace(await command.run(rest, actor, replace(desk, why=reason, talk=talk)), kept=False)


async def go_on(text: str, actor: Actor, desk: Desk, talk: str) -> Panel | None:
    """Take a plain message as a command's reason, or as the yes to what was proposed; None where none waits."""
    at = desk.ledger.clock()
    sure = intents.answer(text)
    wanted = desk.intents.take(actor.id, talk, at)
    if wanted and sure:
        if wanted.command in document_commands.INTENTS:
            return await document_commands.confirmed(wanted, actor, replace(desk, talk=talk))
        if wanted.command in index_commands.INTENTS:
            return await index_commands.confirmed(wanted, actor, replace(desk, talk=talk))
        return await rollout_commands.confirmed(wanted, actor, replace(desk, talk=talk))
    if sure is not None and wanted:
        return Panel("Nothing was done.")
    if sure and actor.role in STEERS:
        return Panel("Nothing waits for a yes here. What was proposed lapses after ten minutes, and is done once.")
    command = desk.reasons.waits(actor.id, talk, at)
    if not command:
        return None
    reason = _tidy(text)
    if not reasons.is_reason(reason):
        return Panel(f"That is too short. {reasons.ASK}")
    desk.reasons.give(actor.id, talk, reason, at)
    return await run(command, actor, desk, talk=talk)


def _parted(text: str) -> tuple[str, str]:
    """Name and arguments; the joiners that keep addresses from becoming links are not typed by anybody."""
    parts = text.replace("\u2060", "").strip().removeprefix("/").split(maxsplit=1)
    return parts[0] if parts else "", parts[1] if len(parts) > 1 else ""


def _without_reason(given: str) -> tuple[str, str]:
    """Arguments without `reason=…`, and the reason. The queue's own reasons are a filter of /review and stay."""
    rest, told = arguments.cut_out(given, "reason")
    return (given, "") if told in list(Reason) else (rest, told)


def _unquoted(given: str) -> str:
    """The beginning of the arguments, without the words that a reviewer writes about a customer's exchange."""
    return re.split(r"[\"'“\n]", given)[0][:200]


def _tidy(reason: str) -> str:
    return " ".join(reason.split())[:LONGEST]


def _nearest(name: str, actor: Actor) -> str:
    allowed = [one.name for one in for_role(actor.role)]
    near = difflib.get_close_matches(name.lower(), allowed, n=1, cutoff=0.5)
    hint = f" Did you mean /{near[0]}?" if near else ""
    return f"There is no command /{name[:40]}.{hint} /help lists what you can do."
