"""Commands about indexes: which there are, what one served, an earlier state again, why a passage was found."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from assistant import index_facts, index_panels, passages, vector_store
from assistant.desk import Command, Desk
from assistant.index_facts import find, folder_of, library_of
from assistant.panels import Panel
from assistant.publishing import LISTED
from assistant.rollout_commands import Given, parse
from knowledge import collecting, history
from knowledge.catalogue import RESTORED
from knowledge.change import Change, changes
from knowledge.ingest import Busy
from knowledge.library import Library, Reader
from knowledge.trace import Trace
from opsplane import control, documents, indexes, lookup
from opsplane.access import Actor
from opsplane.approval import worded
from opsplane.document_events import DocumentsServed
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.guardrails import pii
from opsplane.indexes import Restore
from opsplane.intent import Intent
from opsplane.release import Release
from opsplane.state import State

INTENTS = frozenset({"index"})
"""Intents that are carried out here."""
STEPS = 20
"""Generations that are told of an index."""
_STAFF = control.STAFF
_USAGE = '/index <id> [restore <generation> reason="…"]'


async def listed(given: str, actor: Actor, desk: Desk) -> Panel:
    """Nothing: every index, what it holds, who names it, and how long it stays."""
    async with control.recorded(desk.ledger, "indexes", given[:100], actor) as tally:
        actor.must_be(*_STAFF)
        state = await asyncio.to_thread(lambda: desk.plane.state)
        rows = await asyncio.to_thread(index_facts.every, desk, state)
        size = await asyncio.to_thread(collecting.size, folder_of(library_of(desk)))
        tally.rows = len(rows)
    return index_panels.listed(rows, size)


async def index(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<id>`: what it is made of and what it served; `<id> restore <generation>`: that again, once one is sure."""
    words = given.split()
    if len(words) > 1 and words[1].lower() == "restore":
        return await _restoring(given, actor, desk)
    async with control.recorded(desk.ledger, "index", given[:200], actor):
        actor.must_be(*_STAFF)
        if len(words) != 1:
            raise InvalidRequest(f"Write {_USAGE}. /indexes lists them.")
        library = library_of(desk)
        id_ = await asyncio.to_thread(find, library, words[0])
        state = await asyncio.to_thread(lambda: desk.plane.state)
        facts = await asyncio.to_thread(index_facts.of, desk, state, id_)
        steps = await asyncio.to_thread(history.history, library.catalogue, id_, STEPS)
        held = await asyncio.to_thread(library.catalogue.set_aside, id_)
    return index_panels.one(facts, steps, state.index_reports.get(id_, ()), held)


async def why(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<question> [index=… generation=… as-of=… release=…]`: every candidate, its scores, and what became of it."""
    async with control.recorded(desk.ledger, "why", pii.mask(given)[:200], actor) as tally:
        actor.must_be(*_STAFF)
        found = await asyncio.to_thread(_explained, given, desk)
        tally.rows = len(found.candidates)
    return index_panels.why(found)


async def confirmed(wanted: Intent, actor: Actor, desk: Desk) -> Panel:
    """The person is sure: an earlier generation serves again."""
    deed = wanted.deed
    if not isinstance(deed, Restore):
        raise TypeError(f"{wanted.command} is not carried out here")
    await indexes.restored(desk.ledger, deed, lambda: _restore(deed, desk), actor=actor)
    return index_panels.restored(deed)


async def _restoring(given: str, actor: Actor, desk: Desk) -> Panel:
    """Tell what going back would do, and keep it until the person is sure."""
    async with control.refusals(desk.ledger, "index", given[:200], actor):
        actor.must_be(*_STAFF)
        read = parse(given, ("reason",))
        if len(read.words) != 3:
            raise InvalidRequest(f"Write {_USAGE}.")
        deed, change = await asyncio.to_thread(_wanted, read, library_of(desk))
    words = index_panels.restoring(deed, change, terminal=not desk.talk)
    desk.intents.wait(actor.id, desk.talk, Intent("index", words.text, deed), desk.ledger.clock())
    return words


def _wanted(read: Given, library: Library) -> tuple[Restore, Change]:
    id_ = find(library, read.words[0])
    if id_ not in library.indexes():
        raise Conflict(
            f"The index {id_} was given up; `opsplane index build` brings it back with the documents of now."
        )
    before = library.catalogue.current(id_)
    try:
        generation = history.find(library.catalogue, id_, read.words[2])
    except LookupError as error:
        raise NotFound(str(error)) from error
    if generation.name == before:
        raise Conflict(f"{generation.name} serves already.")
    if not any(one.generation == generation.name for one in library.catalogue.services(id_)):
        raise Conflict(f"{generation.name} has never served: it waits for a second person. /requests shows for whom.")
    deed = Restore(index=id_, generation=generation.name, before=before, reason=worded(read.reason))
    return deed, _change(library, before, generation.name)


def _restore(deed: Restore, desk: Desk) -> DocumentsServed:
    """Let it serve, and give what then stands on the record; raise `Conflict` where something else serves by now."""
    library = library_of(desk)
    catalogue, at = library.catalogue, desk.ledger.clock().timestamp()
    generation = history.find(catalogue, deed.index, deed.generation)
    try:
        with vector_store.told():
            served = history.restore(
                folder_of(library), catalogue, generation, at, instead_of=deed.before, store=library.store
            )
    except Busy as error:
        raise Conflict("Nothing was done: documents are being ingested. Try again when that is over.") from error
    if not served:
        now = catalogue.current(deed.index)
        raise Conflict(f"Nothing was done: {now} serves by now. Give the command again to see what it would do.")
    change = _change(library, deed.before, deed.generation)
    return DocumentsServed(
        index=deed.index,
        generation=deed.generation,
        before=deed.before,
        why=f"{RESTORED}: {deed.reason}",
        added=change.added[:LISTED],
        changed=change.changed[:LISTED],
        removed=change.removed[:LISTED],
        documents=len(generation.documents),
    )


def _change(library: Library, before: str, after: str) -> Change:
    old, new = library.catalogue.generation(before), library.catalogue.generation(after)
    return changes(old.documents if old else {}, new.documents if new else {})


@dataclass(frozen=True)
class _When:
    """The day that is asked about, and the end of it; what was withdrawn by then."""

    on: date
    end: datetime
    past: bool


def _explained(given: str, desk: Desk) -> Trace:
    read = parse(given, ("index", "generation", "as-of", "release"))
    question = " ".join(read.words)
    if not question.strip():
        raise InvalidRequest("Which question? Write /why <question> [index=… generation=… as-of=2026-03-03 release=…].")
    library, state = library_of(desk), desk.plane.state
    when = _when(read.values, desk)
    release = _release(read.values, desk, state)
    id_, generation = _where(read.values, library, release, when)
    withheld = documents.withheld_at(desk.ledger, when.end) if when.past else state.withheld
    reader = Reader(when.on, passages.CUSTOMERS, frozenset(withheld))
    try:
        return library.explain(question, reader, passages.plan(release), index=id_, generation=generation)
    except Busy as error:
        raise Conflict("That generation has to be made again, and documents are being ingested. Try later.") from error


def _release(values: Mapping[str, str], desk: Desk, state: State) -> Release:
    name = values.get("release", "")
    return lookup.find(state, name) if name else desk.plane.stable()


def _where(values: Mapping[str, str], library: Library, release: Release, when: _When) -> tuple[str, str]:
    """Index and generation: as they are named, or as the release would have searched at the end of that day."""
    id_ = find(library, values.get("index", "") or release.retrieval.index)
    if name := values.get("generation", ""):
        try:
            return id_, history.find(library.catalogue, id_, name).name
        except LookupError as error:
            raise NotFound(str(error)) from error
    if "index" not in values and release.retrieval.generation:
        return id_, release.retrieval.generation
    if not when.past:
        return id_, ""
    served = library.served_at(id_, when.end.timestamp())
    if served is None:
        first = next(iter(library.catalogue.services(id_)), None)
        since = f" Its first generation served from {index_facts.moment(first.since):%Y-%m-%d} on." if first else ""
        raise NotFound(f"The index {id_} served nothing yet on {when.on}.{since}")
    return id_, served.generation


def _when(values: Mapping[str, str], desk: Desk) -> _When:
    now = desk.ledger.clock()
    today = now.astimezone(desk.zone).date()
    try:
        on = date.fromisoformat(values["as-of"]) if "as-of" in values else today
    except ValueError as error:
        raise InvalidRequest(f"as-of={values['as-of'][:40]}: a day is written like 2026-03-03") from error
    end = datetime.combine(on + timedelta(days=1), time(), desk.zone) if on < today else now
    return _When(on, end, on < today)


COMMANDS: tuple[Command, ...] = (
    Command("indexes", "/indexes", "Every index: what it holds, who names it", "database", _STAFF, listed),
    Command("index", _USAGE, "What an index served; an earlier state again", "database-zap", _STAFF, index),
    Command(
        "why",
        "/why <question> [as-of=… index=… release=…]",
        "Why a question finds the passages that it finds",
        "search-check",
        _STAFF,
        why,
    ),
)
