"""Commands about evaluations: /evaluate a release on a dataset, /report what came of it."""

import asyncio
from collections.abc import Callable, Mapping

from assistant import arguments, evaluation_panels, report_text
from assistant.desk import Command, Desk
from assistant.evaluator import Asked, Evaluator
from assistant.panels import Panel
from opsplane import lookup
from opsplane.access import Actor, Role
from opsplane.control import STAFF, recorded, refusals
from opsplane.errors import InvalidRequest
from opsplane.evaluation.run import Standing
from opsplane.release import Release

_FILTERS = ("dataset", "against", "judge")
_PARTS = 10
"""So often somebody who waits is told how far it is."""


async def _evaluate(given: str, actor: Actor, desk: Desk) -> Panel:
    """`[release] [dataset=…] [against=…] [judge=…]`: the release through the real turn, apart from customers."""
    async with refusals(desk.ledger, "evaluate", given[:200], actor):
        actor.must_be(*STAFF)
        evaluations = evaluations_of(desk)
        asked = await asyncio.to_thread(_asked, given, desk, evaluations)
    made = await evaluations.run(asked, _telling(desk), actor=actor)
    return evaluation_panels.made(made)


async def _report(given: str, actor: Actor, desk: Desk) -> Panel:
    """Nothing: the reports on the record; `<digest>`: one, with its page to open."""
    async with recorded(desk.ledger, "report", given[:100], actor) as tally:
        actor.must_be(*STAFF, Role.REVIEWER)
        words = given.split()
        if len(words) > 1:
            raise InvalidRequest("Write /report, or /report and the beginning of a report's digest.")
        if words:
            run = await asyncio.to_thread(evaluations_of(desk).shelf.find, words[0].lower())
            tally.rows = 1
            return report_text.panel(run)
        state = await asyncio.to_thread(lambda: desk.plane.state)
        reports = [one for known in state.reports.values() for one in known]
        tally.rows = len(reports)
    return evaluation_panels.listed(reports, state)


COMMANDS: tuple[Command, ...] = (
    Command(
        "evaluate",
        "/evaluate [release] [dataset=golden] [against=<release>] [judge=…]",
        "Ask a dataset's questions of a release, apart from customers, and hold the answers against the policy",
        "clipboard-check",
        STAFF,
        _evaluate,
    ),
    Command(
        "report",
        "/report [digest]",
        "The reports of evaluations, or one of them case by case",
        "file-chart-column",
        (*STAFF, Role.REVIEWER),
        _report,
    ),
)


def evaluations_of(desk: Desk) -> Evaluator:
    """What evaluates here; raise `InvalidRequest` on a desk that only reads the record."""
    if desk.evaluations is None:
        raise InvalidRequest("Nothing is evaluated here. On a terminal: opsplane evaluate, opsplane gate.")
    return desk.evaluations


def _asked(given: str, desk: Desk, evaluations: Evaluator) -> Asked:
    found = arguments.parse(given)
    wrong = [name for name in found.values if name not in _FILTERS]
    if wrong or len(found.words) > 1:
        raise InvalidRequest("Write /evaluate [release] [dataset=golden] [against=<release>] [judge=…].")
    state, values = desk.plane.state, found.values
    release = lookup.find(state, found.words[0]) if found.words else desk.plane.stable()
    return Asked(
        release=release,
        against=_against(release, values, desk),
        dataset=evaluations.dataset(values.get("dataset", "") or evaluations.policy.gate.dataset),
        judge=values.get("judge", ""),
    )


def _against(release: Release, values: Mapping[str, str], desk: Desk) -> Release | None:
    """The release to compare with: the one that is named, else the one that serves, unless that is it."""
    if named := values.get("against"):
        return lookup.find(desk.plane.state, named)
    stable = desk.plane.stable()
    return stable if stable.digest != release.digest else None


def _telling(desk: Desk) -> Callable[[Standing], None]:
    """Tells whoever waits every so often how far it is, from the thread in which the evaluation runs."""
    loop = asyncio.get_running_loop()
    told = {"part": -1}

    def tell(standing: Standing) -> None:
        part = standing.done * _PARTS // max(1, standing.of)
        if part == told["part"]:
            return
        told["part"] = part
        words = f"{standing.done} of {standing.of} cases"
        asyncio.run_coroutine_threadsafe(desk.step("evaluate", words), loop)

    return tell
