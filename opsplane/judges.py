"""Judges held against people: what both said on the record, and whether a judge's word counts from here on."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from opsplane.access import SERVICE, Actor
from opsplane.control import STAFF, recorded
from opsplane.control_events import AlertRaised
from opsplane.evaluation.calibration import Calibration, Label, Preference, calibrate, event
from opsplane.evaluation_events import JudgeCalibrated
from opsplane.ledger.store import Ledger, Public
from opsplane.plane import Plane
from opsplane.policy import Judges
from opsplane.state import State

ABOUT = "judge"
"""What an alert about a judge is about; its subject is the judge."""
BATCH = 2_000
_RIGHT = {"right": 1.0, "wrong": 0.0}


@dataclass
class _Scores:
    """What a judge gave, and what people did, by exchange."""

    judge: dict[str, tuple[float | None, int]]
    people: list[Public]


@dataclass(frozen=True)
class Seen:
    """How many of the answers that people labelled a judge scored, and how many it looked at and could not score."""

    scored: int = 0
    unscored: int = 0


def labels(ledger: Ledger, judge: str) -> list[Label]:
    """Every label of a person on an answer that this judge looked at, in the order of the record.

    A review's score counts, or right as 1 and wrong as 0; whoever was unsure said nothing.
    """
    found = _scores(ledger, judge)
    given = []
    for review in found.people:
        person = _person(review)
        if person is None or review.payload["exchange"] not in found.judge:
            continue
        score, length = found.judge[review.payload["exchange"]]
        label = Label(
            exchange=review.payload["exchange"],
            at=review.at,
            reviewer=review.actor,
            person=person,
            judge=score,
            length=length,
        )
        given.append(label)
    return given


def seen(ledger: Ledger, judge: str) -> Seen:
    """How many labelled answers this judge looked at."""
    given = {one.exchange: one.judge for one in labels(ledger, judge)}
    scored = sum(score is not None for score in given.values())
    return Seen(scored, len(given) - scored)


def unseen(ledger: Ledger, judge: str, most: int) -> list[str]:
    """The newest exchanges that people labelled and this judge did not look at, at most so many."""
    found = _scores(ledger, judge)
    wanted = dict.fromkeys(
        one.payload["exchange"]
        for one in reversed(found.people)
        if _person(one) is not None and one.payload["exchange"] not in found.judge
    )
    return list(wanted)[:most]


def preferences(ledger: Ledger, judge: str) -> list[Preference]:
    """What this judge said of pairs in both orders, those left out that it could not tell."""
    return [
        Preference(exchange=one.exchange, forward=one.payload["forward"], backward=one.payload["backward"])
        for one in _follow(ledger, ("preference_scored",))
        if one.payload["scorer"] == judge and "unscored" not in (one.payload["forward"], one.payload["backward"])
    ]


async def held(
    plane: Plane, ledger: Ledger, judge: str, floors: Judges, pair: str = "", *, actor: Actor
) -> tuple[Calibration, JudgeCalibrated]:
    """Calibrate a judge on what is on the record, and record whether it votes; `pair` names it as a judge of pairs."""
    async with recorded(ledger, "judge", f"calibrate {judge}"[:200], actor):
        actor.must_be(*STAFF, SERVICE.role)
        found = await asyncio.to_thread(_calibrated, ledger, judge, floors, pair)
        told = event(found)
        await ledger.append(told, actor)
        await asyncio.to_thread(lambda: plane.state)
    return found, told


def alarm(before: State, told: JudgeCalibrated) -> AlertRaised | None:
    """What operators must hear of: a judge that had its vote and has it no longer."""
    if told.votes or not before.votes(told.judge):
        return None
    text = (
        f"The judge {told.judge} lost its vote: {told.reason} Its scores count in no gate and no rollout from here on."
    )
    return AlertRaised(about=ABOUT, subject=told.judge, text=text)


def calibrate_now(
    plane: Plane, ledger: Ledger, judge: str, floors: Judges, pair: str, alert: Callable[[AlertRaised], None]
) -> str:
    """The nightly job: calibrate, and tell operators where a vote was lost; what came of it, in words."""
    before = plane.state
    found, told = asyncio.run(held(plane, ledger, judge, floors, pair, actor=SERVICE))
    if raised := alarm(before, told):
        ledger.append_now(raised, SERVICE)
        alert(raised)
    return found.summary


def _calibrated(ledger: Ledger, judge: str, floors: Judges, pair: str) -> Calibration:
    ledger.settle()
    return calibrate(judge, labels(ledger, judge), preferences(ledger, pair or judge), floors, ledger.clock())


def _scores(ledger: Ledger, judge: str) -> _Scores:
    found = _Scores({}, [])
    for one in _follow(ledger, ("exchange_reviewed", "exchange_scored", "exchange_unscored")):
        told = one.payload
        if one.kind == "exchange_reviewed":
            found.people.append(one)
        elif told["scorer"] == judge:
            score = told["score"] / 100 if one.kind == "exchange_scored" else None
            known = found.judge.get(told["exchange"])
            if known is None or known[0] is None:
                found.judge[told["exchange"]] = score, told.get("length", 0)
    return found


def _person(review: Public) -> float | None:
    score = review.payload.get("score")
    return _RIGHT.get(review.payload["verdict"]) if score is None else score / 100


def _follow(ledger: Ledger, kinds: Collection[str]) -> Iterator[Public]:
    after = 0
    while entries := ledger.follow(after, tuple(kinds), BATCH):
        yield from entries
        after = entries[-1].seq
