"""/judge: who judges, whether its word counts, and why; and holding it against people's labels now."""

import asyncio

from assistant import judge_panels
from assistant.desk import Command, Desk
from assistant.evaluation_commands import evaluations_of
from assistant.panels import Panel
from opsplane import judges
from opsplane.access import Actor, Role
from opsplane.control import STAFF, recorded, refusals
from opsplane.errors import InvalidRequest


async def _judge(given: str, actor: Actor, desk: Desk) -> Panel:
    """Nothing: every judge and its vote; `calibrate`: hold the one that judges here against people's labels now."""
    words = given.split()
    if words == ["calibrate"]:
        return await _calibrate(actor, desk)
    async with recorded(desk.ledger, "judge", given[:100], actor) as tally:
        actor.must_be(*STAFF, Role.REVIEWER)
        if words:
            raise InvalidRequest("Write /judge, or /judge calibrate.")
        state = await asyncio.to_thread(lambda: desk.plane.state)
        here = await asyncio.to_thread(_here, desk)
        seen = await asyncio.to_thread(judges.seen, desk.ledger, here) if here else judges.Seen()
        tally.rows = len(state.judges)
    return judge_panels.listed(state, here, seen, desk.watcher.helm.policy.judges)


def _here(desk: Desk) -> str:
    """The judge that judges here, or nothing."""
    court = desk.evaluations.court() if desk.evaluations else None
    return court.judge.identity if court else ""


async def _calibrate(actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "judge", "calibrate", actor):
        actor.must_be(*STAFF)
        evaluations = evaluations_of(desk)
    await desk.step("judge", "judging what people labelled and it has not seen")
    court = await asyncio.to_thread(evaluations.catch_up)
    if court is None:
        raise InvalidRequest("Nobody judges here: OPSPLANE_JUDGE names who does.")
    floors, pair = evaluations.policy.judges, court.pair.identity if court.pair else ""
    found, _ = await judges.held(desk.plane, desk.ledger, court.judge.identity, floors, pair, actor=actor)
    return judge_panels.calibrated(found)


COMMANDS: tuple[Command, ...] = (
    Command(
        "judge",
        "/judge [calibrate]",
        "Who judges answers, how far it agrees with people, and whether its word counts",
        "gavel",
        (*STAFF, Role.REVIEWER),
        _judge,
    ),
)
