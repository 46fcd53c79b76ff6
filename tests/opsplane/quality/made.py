"""Entries of a record as the watch reads them, made up: exchanges hour by hour, scores, and what changed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from opsplane.ledger.store import Public

START = datetime(2026, 11, 2, tzinfo=UTC)
JUDGE = "embedded-1a2b"
WITHHELD = {"code": "grounding.figure", "action": "withhold", "stage": "answer"}


def told(identity: str, at: datetime, **changes: Any) -> dict[str, Any]:
    """The public part of an exchange."""
    told_ = {
        "id": identity,
        "at": at.isoformat(),
        "customer": f"C-{identity}",
        "digest": "a" * 64,
        "topic": "cards",
        "outcome": "answered",
        "code": "",
        "findings": [],
        "usage": {"input": 900, "output": 80},
        "cost_micros": 700,
        "total_ms": 800,
        "first_sentence_ms": 300,
    }
    return told_ | changes


@dataclass
class Record:
    """Makes entries with numbers in order, from `START` on."""

    seed: int = 1
    seq: int = 10
    made: int = 0
    rng: Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)

    def entry(self, kind: str, at: datetime, **payload: Any) -> Public:
        """One entry."""
        self.seq += 1
        return Public(self.seq, at, kind, "", payload)

    def answered(self, at: datetime, **changes: Any) -> Public:
        """An exchange."""
        self.made += 1
        return self.entry("question_answered", at, exchange=told(f"e{self.made}", at, **changes))

    def scored(self, at: datetime, score: int, scorer: str = JUDGE, **changes: Any) -> Public:
        """A judge's score of the newest exchange, drawn by lot."""
        given = {"exchange": f"e{self.made}", "scorer": scorer, "score": score, "stratum": "cards/answered 0.1 plain"}
        return self.entry("exchange_scored", at, **(given | changes))

    def hours(self, first: int, last: int, each: int = 10, **changes: Any) -> Iterator[Public]:
        """So many exchanges in every hour, each scored around `score`, a share of them with something withheld."""
        score, withheld = changes.pop("score", 75), changes.pop("withheld", 0.02)
        for hour in range(first, last):
            for number in range(each):
                at = START + timedelta(hours=hour, seconds=3600 * number / each)
                findings = [WITHHELD] if self.rng.random() < withheld else []
                yield self.answered(at, findings=findings, **changes)
                yield self.scored(at, min(100, max(0, round(self.rng.gauss(score, 10)))))
