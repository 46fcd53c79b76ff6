"""Commands about releases. Chat and terminal call the same functions; what is refused is on the record as well."""

import asyncio
from collections.abc import Callable

from assistant import release_panels
from assistant.desk import Command, Desk
from assistant.panels import Panel
from opsplane import catalogue, control, pins
from opsplane.access import Actor
from opsplane.errors import InvalidRequest
from opsplane.release import Release

_STAFF = control.STAFF


async def releases(_given: str, actor: Actor, desk: Desk) -> Panel:
    """Nothing: every registered release."""
    return release_panels.releases(await control.releases(desk.plane, desk.ledger, actor=actor))


async def release(given: str, actor: Actor, desk: Desk) -> Panel:
    """`[id or digest]`: what it contains; without a name the stable one."""
    one = await control.release(desk.plane, desk.ledger, given.strip(), actor=actor)
    state = await asyncio.to_thread(lambda: desk.plane.state)
    passed = [
        f"{report.dataset}: {report.summary} (report {report.report[:12]})"
        for report in state.reports.get(one.digest, ())
        if report.passed
    ]
    return release_panels.release(one, pins.check(one, desk.ledger.clock().date()), passed)


async def diff(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<a> [b]`: what makes b another release than a; of one alone, what it would change against the stable."""
    names = given.split()
    if len(names) not in (1, 2):
        async with control.refusals(desk.ledger, "diff", given[:200], actor):
            actor.must_be(*_STAFF)
            raise InvalidRequest("Write /diff <release>, against the stable one, or /diff <release> <release>.")
    return release_panels.difference(await catalogue.diff(desk.plane, desk.ledger, *names, actor=actor))


async def register(given: str, actor: Actor, desk: Desk) -> Panel:
    """`<id or file name>`: put a release out of the folder of release files on the record."""
    name = given.strip().strip('"“”')
    return await _register(lambda: catalogue.load_file(desk.releases, name), name or "nothing", actor, desk)


async def register_text(text: str, name: str, actor: Actor, desk: Desk) -> Panel:
    """A release that was dropped into the chat: YAML, or what was exported where the name ends with .json."""
    if name.lower().endswith(".json"):
        return await register_export(text.encode(errors="replace"), name, actor, desk)
    return await _register(lambda: catalogue.from_text(text, name), name, actor, desk)


async def register_export(content: bytes, name: str, actor: Actor, desk: Desk, *, digest: str = "") -> Panel:
    """An exported release, in its very bytes; `digest` (or its beginning) is what they must amount to."""
    return await _register(lambda: catalogue.from_canonical(content, name, digest), name, actor, desk)


async def _register(read: Callable[[], Release], source: str, actor: Actor, desk: Desk) -> Panel:
    async with control.refusals(desk.ledger, "register", source[:200], actor):
        actor.must_be(*_STAFF)
        one = await asyncio.to_thread(read)
    done = await catalogue.register(
        desk.plane, desk.ledger, one, actor=actor, source=source[:200], indexes=desk.watcher.helm.indexes()
    )
    return release_panels.registered(done)


COMMANDS: tuple[Command, ...] = (
    Command("releases", "/releases", "Every registered release", "package", _STAFF, releases),
    Command("release", "/release [id or digest]", "What a release contains", "package-open", _STAFF, release),
    Command("diff", "/diff <release> [release]", "What two releases differ in, word by word", "diff", _STAFF, diff),
    Command(
        "register",
        "/register <id or file name>",
        "Put a release file on the record; it never changes again",
        "package-plus",
        _STAFF,
        register,
    ),
)
