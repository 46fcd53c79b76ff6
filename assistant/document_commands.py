"""Commands about documents: what is answered from, what is taken out of it at once, and what comes in by two people."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from assistant import document_panels, holdings
from assistant.desk import Command, Desk, Step
from assistant.panels import Panel
from assistant.rollout_commands import Given, parse
from assistant.staging import Progress, Staged, Staging
from knowledge.conflicts import conflicts
from knowledge.report import Fate
from opsplane import approval, control, documents, intent, publication, requests
from opsplane.access import Actor
from opsplane.approval import Request
from opsplane.document_events import DocumentsServed
from opsplane.documents import LOOKS_AFTER
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.intent import STEERS, Agree, Ask, Intent
from opsplane.requests import Actions, Decision
from opsplane.state import State

INTENTS = frozenset({"withdraw", "reinstate", "ingest", "publish"})
"""Intents that are carried out here."""
_STAGES = {
    "reading": "Read files",
    "cutting": "Cut documents",
    "embedding": "Embed windows",
    "indexing": "Build the index",
}
Made = TypeVar("Made")


async def listed(given: str, actor: Actor, desk: Desk) -> Panel:
    """`[word] [as-of=…] [at=…]`: what is answered from, was on a day, or will be."""
    async with control.recorded(desk.ledger, "documents", given[:200], actor) as tally:
        actor.must_be(*LOOKS_AFTER)
        read = parse(given, ("as-of", "at"))
        at, on = (_date(read, name) for name in ("at", "as-of"))
        library, today = _staging(desk).library, _today(desk)
        if at and at > today:
            raise InvalidRequest(f"at={at} lies ahead: what will be in force is told by as-of={at}.")
        day = _hours(at, desk) if at else None
        state = await asyncio.to_thread(lambda: desk.plane.state)
        withheld = await asyncio.to_thread(documents.withheld_at, desk.ledger, day[1]) if day else state.withheld
        times = (day[0].timestamp(), day[1].timestamp()) if day else None
        found = await asyncio.to_thread(holdings.held, library, _index(state), on or at or today, withheld, times)
        word = " ".join(read.words)
        found = found.matching(word) if word else found
        tally.rows = len(found.rows)
    return document_panels.listed(found, word, at, desk.zone)


async def withdraw(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<document[@version]> reason="…"`: nobody is answered from it any more, once the person is sure."""

    def make(state: State) -> Intent:
        name, reason = _named(given, desk)
        return documents.withdraw(state, holdings.names(_staging(desk).library), name, reason)

    return await _proposed("withdraw", given, make, actor, desk)


async def reinstate(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<document> reason="…"`: customers are answered from it again; that takes a second person."""

    def make(state: State) -> Intent:
        name, reason = _named(given, desk)
        return documents.reinstate(state, desk.watcher.helm, name, reason)

    return await _proposed("reinstate", given, make, actor, desk)


async def ingest(given: str, actor: Actor, desk: Desk) -> Panel:
    """`reason="…"`: stage the files that wait here, or else what the sources hold by now; `cancel`: let go of them."""
    async with control.refusals(desk.ledger, "ingest", given[:200], actor):
        actor.must_be(*STEERS)
        read = parse(given, ("reason",))
        if read.words not in ((), ("cancel",)):
            raise InvalidRequest('Write /ingest reason="…", or /ingest cancel to let go of the files that wait.')
        waiting = desk.tray.waits(actor.id, desk.talk, desk.ledger.clock())
        if read.words:
            desk.tray.empty(actor.id, desk.talk)
            return Panel(f"Let go of {len(waiting)} files." if waiting else "No files wait here.")
        reason = approval.worded(read.reason or desk.why)
        documents.must_be_free(await asyncio.to_thread(lambda: desk.plane.state), desk.watcher.helm)
    return await (_stage(reason, actor, desk) if waiting else _look(reason, actor, desk))


async def disagreements(given: str, actor: Actor, desk: Desk) -> Panel:
    """Nothing: documents in force that give different figures for the same thing."""
    async with control.recorded(desk.ledger, "conflicts", given[:200], actor) as tally:
        actor.must_be(*LOOKS_AFTER)
        on = _date(parse(given, ("as-of",)), "as-of") or _today(desk)
        state = await asyncio.to_thread(lambda: desk.plane.state)
        held = await asyncio.to_thread(holdings.documents, _staging(desk).library, _index(state))
        used = [one for one in held if not state.withdrawn & {one.name, one.id}]
        found = await asyncio.to_thread(conflicts, used, on)
        tally.rows = len(found)
    return document_panels.conflicting(found, on, len([one for one in used if one.in_force(on)]))


async def confirmed(wanted: Intent, actor: Actor, desk: Desk) -> Panel:
    """The person is sure: carry it out, and show what came of it."""
    helm = desk.watcher.helm
    if isinstance(wanted.deed, Agree):
        return await approved(
            await requests.approve(desk.ledger, actions(desk), wanted.deed.request, actor=actor), desk
        )
    if wanted.command == "ingest":
        return await _stage(wanted.deed.reason, actor, desk)
    done = await intent.commit(helm, wanted, actor=actor, roles=LOOKS_AFTER)
    if done.request and isinstance(wanted.deed, Ask):
        return document_panels.asked(done.request, wanted.deed.action)
    return document_panels.done(wanted)


async def approved(decision: Decision, desk: Desk) -> Panel:
    """A request about documents was agreed to and carried out, at once or after it was cut off."""
    await tidy(desk)
    served = decision.result if isinstance(decision.result, tuple) else ()
    return document_panels.approved(decision.request, [one for one in served if isinstance(one, DocumentsServed)])


async def agreeing(identity: str, actor: Actor, desk: Desk) -> Panel | None:
    """What a yes to a request about documents would do, kept until it is said; None where it is about anything else."""
    try:
        found = approval.find(await asyncio.to_thread(requests.every, desk.ledger), identity)
    except (NotFound, InvalidRequest):
        return None  # `/approve` itself says so, and records it
    known = actions(desk)
    if found.action not in known or found.state is not approval.State.OPEN:
        return None
    async with control.refusals(desk.ledger, "approve", identity[:200], actor):
        actor.must_be(*known[found.action].who(found))
        approval.must_be_another(found, actor)
        await asyncio.to_thread(known[found.action].check, found)
        preview = await asyncio.to_thread(_preview, found, desk)
    words = f"{found.maker.id} asks to {known[found.action].words} {found.subject}."
    wanted = Intent("publish", words, Agree(found.id, found.reason))
    desk.intents.wait(actor.id, desk.talk, wanted, desk.ledger.clock())
    return document_panels.agreeing(wanted, preview, terminal=not desk.talk)


async def tidy(desk: Desk) -> None:
    """Let go of what was staged for requests that are over."""
    if desk.documents:
        every = await asyncio.to_thread(requests.every, desk.ledger)
        await asyncio.to_thread(desk.documents.tidy, every, desk.ledger.clock().timestamp())


def actions(desk: Desk) -> Actions:
    """Everything about documents that needs two people."""
    helm, staging = desk.watcher.helm, desk.documents
    return {**documents.actions(helm), **(publication.actions(helm, staging.shelves) if staging else {})}


async def _stage(reason: str, actor: Actor, desk: Desk) -> Panel:
    """Make generations of what waits, or of the sources, and ask a second person to publish them."""
    staging, at = _staging(desk), desk.ledger.clock()
    files = desk.tray.waits(actor.id, desk.talk, at)
    told = ", ".join(one.name for one in files)[:200] or "the sources"
    async with control.recorded(desk.ledger, "ingest", told, actor):
        actor.must_be(*STEERS)
        await tidy(desk)
        staged = await _told(lambda progress: staging.stage(files, progress, at.timestamp(), _today(desk)), desk.step)
        desk.tray.empty(actor.id, desk.talk)
        if staged.bound is None:
            return document_panels.unchanged(staged.report)
        action = actions(desk)[publication.PUBLISH]
        try:
            request = await asyncio.to_thread(_ask, staged, reason, actor, desk)
        except BaseException:
            staging.let_go(staged)
            raise
    return document_panels.staged(request, action, staged.report, staged.changes)


def _ask(staged: Staged, reason: str, actor: Actor, desk: Desk) -> Request:
    action = actions(desk)[publication.PUBLISH]
    subject = f"documents: {staged.changes.summary}"
    return publication.ask(desk.watcher.helm, action, subject, reason, staged.bound or {}, actor=actor)


async def _look(reason: str, actor: Actor, desk: Desk) -> Panel:
    """What the remembered sources hold by now, and, where that is something else, the offer to stage it."""
    staging, at = _staging(desk), desk.ledger.clock()
    async with control.recorded(desk.ledger, "ingest", "look", actor):
        report = await _told(lambda progress: staging.look(progress, at.timestamp()), desk.step)
    if not any(one.fate is Fate.PLANNED for one in report.indexes):
        return document_panels.unchanged(report)
    words = "Stages what the sources hold by now; customers see it when a second person agrees."
    ask = Ask(actions(desk)[publication.PUBLISH], "documents", reason, {})
    wanted = Intent("ingest", words, ask)
    desk.intents.wait(actor.id, desk.talk, wanted, at)
    return document_panels.looked(report, wanted, terminal=not desk.talk)


async def _told(work: Callable[[Progress], Made], step: Step) -> Made:
    """Run long work in a thread and tell each stage of it; work that nobody waits for any more breaks off."""
    loop, told, stopped = asyncio.get_running_loop(), asyncio.Queue[tuple[str, int] | None](), threading.Event()
    seen: set[str] = set()

    def progress(stage: str, _done: int, total: int) -> None:
        if stopped.is_set():
            raise Conflict("It was stopped.")
        if stage not in seen and total:
            seen.add(stage)
            loop.call_soon_threadsafe(told.put_nowait, (stage, total))

    def ended(one: asyncio.Future[Made]) -> None:
        told.put_nowait(None)
        if not one.cancelled():
            one.exception()  # looked at here where nobody waits any more

    working = asyncio.ensure_future(asyncio.to_thread(work, progress))
    working.add_done_callback(ended)
    try:
        while one := await told.get():
            await step(_STAGES.get(one[0], one[0].capitalize()), f"{one[1]:,}")
        return await working
    finally:
        stopped.set()


async def _proposed(command: str, given: str, make: Callable[[State], Intent], actor: Actor, desk: Desk) -> Panel:
    wanted = await intent.propose(desk.watcher.helm, command, given, make, actor=actor, roles=LOOKS_AFTER)
    desk.intents.wait(actor.id, desk.talk, wanted, desk.ledger.clock())
    return document_panels.proposed(wanted, terminal=not desk.talk)


def _preview(request: Request, desk: Desk) -> Panel | None:
    """What publishing would change; None for a request about one document."""
    if request.action != publication.PUBLISH:
        return None
    staging = _staging(desk)
    changes = staging.changes(publication.flips(request.details), _today(desk))
    return document_panels.preview(staging.report(request), changes)


def _named(given: str, desk: Desk) -> tuple[str, str]:
    read = parse(given, ("reason",))
    return " ".join(read.words), read.reason or desk.why


def _staging(desk: Desk) -> Staging:
    if desk.documents is None:
        raise Conflict("There is no library here.")
    return desk.documents


def _index(state: State) -> str:
    release = state.releases.get(state.stable)
    return release.retrieval.index if release else ""


def _today(desk: Desk) -> date:
    return desk.ledger.clock().astimezone(desk.zone).date()


def _hours(day: date, desk: Desk) -> tuple[datetime, datetime]:
    """When a day of the bank begins and ends; the present one ends now."""
    begin, end = (datetime.combine(one, time(), desk.zone) for one in (day, day + timedelta(days=1)))
    return begin.astimezone(UTC), min(end.astimezone(UTC) - datetime.resolution, desk.ledger.clock())


def _date(read: Given, name: str) -> date | None:
    text = read.values.get(name, "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(f"{name}={text[:40]}: a day is written like 2026-03-03.") from error


COMMANDS: tuple[Command, ...] = (
    Command(
        "documents",
        "/documents [word] [as-of=YYYY-MM-DD] [at=YYYY-MM-DD]",
        "What is answered from: now, on a day, or by what was served on a day",
        "library",
        LOOKS_AFTER,
        listed,
    ),
    Command(
        "ingest",
        '/ingest [cancel] reason="…"',
        "Bring in the files dropped here, or what the sources hold by now; a second person publishes them",
        "file-input",
        STEERS,
        ingest,
    ),
    Command(
        "withdraw",
        '/withdraw <document[@version]> reason="…"',
        "Answer nobody from a document any more, at once",
        "file-x",
        LOOKS_AFTER,
        withdraw,
    ),
    Command(
        "reinstate",
        '/reinstate <document[@version]> reason="…"',
        "Ask to answer from a withdrawn document again; a second person decides",
        "file-check",
        LOOKS_AFTER,
        reinstate,
    ),
    Command(
        "conflicts",
        "/conflicts [as-of=YYYY-MM-DD]",
        "Documents in force that give different figures for the same thing",
        "scale",
        LOOKS_AFTER,
        disagreements,
    ),
)
