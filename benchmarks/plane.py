"""Which release serves a customer: what it costs to ask at every turn, and how a million customers fall.

`python -m benchmarks.plane` asks a plane over an SQLite record with some hundred acts and a rollout in progress, beside
a bare `SELECT 1` on the same database, and assigns customers through a rollout whose share grows.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from opsplane.access import Actor, Role
from opsplane.control_events import RolloutAborted, RolloutStarted
from opsplane.events import ReleasePromoted, ReleaseRegistered
from opsplane.ledger.database import connect
from opsplane.ledger.keys import open_keys
from opsplane.ledger.store import Ledger
from opsplane.ledger.vault import Vault
from opsplane.plane import Plane
from opsplane.registry import load_all
from opsplane.release import Release
from opsplane.rollouts import assignment
from opsplane.rollouts.plan import load

ROOT = Path(__file__).parents[1]
OPERATOR = Actor(id="operator", role=Role.OPERATOR)
SHARES = (100, 500, 2_500, 5_000, 10_000)  # parts of 10,000
ASKED, ACTS = 5_000, 100


def main() -> None:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    customers = parser.parse_args().customers
    with tempfile.TemporaryDirectory() as folder, closing(_record(Path(folder))) as ledger:
        plane = Plane(ledger)
        asked = _times(lambda number: plane.release_for(f"C-{number}", f"exchange-{number}"))
        with ledger.engine.connect() as connection:
            bare = _times(lambda _: connection.execute(text("SELECT 1")).scalar())
    print("| which release serves this customer, SQLite | p50 | p99 | ÷ a bare SELECT 1 |\n| --- | --- | --- | --- |")
    print(
        f"| {ACTS} acts and a rollout on the record | {_ms(asked, 50)} | {_ms(asked, 99)} "
        f"| {_ratio(asked, bare):.1f} |\n"
    )
    print("| share | customers on the candidate | off by points | moved back |\n| --- | --- | --- | --- |")
    _assign(customers)


def _assign(customers: int) -> None:
    """One line for each share; then whether two rollouts' assignments hang together."""
    names = [f"C-{number}" for number in range(customers)]
    points = [assignment.point("benchmark", name) for name in names]
    before = bytearray(customers)
    for share in SHARES:
        bound = share * (1 << 64)
        now = bytearray(point * assignment.WHOLE < bound for point in points)
        back = sum(old > new for old, new in zip(before, now, strict=True))
        count = sum(now)
        off = count * 100 / customers - share / 100
        print(f"| {share / 100:g} % | {count:,} | {off:+.3f} | {back} |")
        before = now
    halves = [[assignment.within(salt, name, 5_000) for name in names] for salt in ("benchmark", "another")]
    print(f"\nCorrelation of two rollouts' halves: {statistics.correlation(*halves):+.4f}, ", end="")
    print(f"of chance alone up to {3 / customers**0.5:.4f} (three standard errors).")


def _record(folder: Path) -> Ledger:
    """A record with releases, aborted rollouts and one in progress."""
    keys = open_keys("", folder, datetime.now(UTC))
    vault = Vault(connect(f"sqlite:///{folder / 'keys.db'}"), keys.wrappers, lambda: datetime.now(UTC))
    ledger = Ledger(connect(f"sqlite:///{folder / 'record.db'}"), lambda: datetime.now(UTC), vault)
    releases = list(load_all(ROOT / "assistant" / "releases").values())
    for one in releases:
        event = ReleaseRegistered(release=one.id, digest=one.digest, canonical=one.canonical().decode())
        ledger.append_now(event, OPERATOR)
    stable, candidate = releases[:2]
    ledger.append_now(ReleasePromoted(release=stable.id, digest=stable.digest, reason="benchmark"), OPERATOR)
    for number in range(ACTS // 2):
        ledger.append_now(_start(f"r{number}", stable, candidate), OPERATOR)
        ledger.append_now(RolloutAborted(rollout=f"r{number}", cause="operator"), OPERATOR)
    ledger.append_now(_start("last", stable, candidate), OPERATOR)
    return ledger


def _start(name: str, stable: Release, candidate: Release) -> RolloutStarted:
    plan = load(ROOT / "assistant" / "plans" / "standard.yaml").canonical()
    return RolloutStarted(
        rollout=name, candidates=(candidate.digest,), stable=stable.digest, plan=plan, salt=f"{name}-salt"
    )


def _times(call: Callable[[int], object]) -> Sequence[float]:
    """Seconds of each call, after a few that are not counted."""
    for number in range(100):
        call(number)
    taken = []
    for number in range(ASKED):
        begun = time.perf_counter()
        call(number)
        taken.append(time.perf_counter() - begun)
    return sorted(taken)


def _ms(taken: Sequence[float], percentile: int) -> str:
    return f"{taken[len(taken) * percentile // 100] * 1000:.3f} ms"


def _ratio(taken: Sequence[float], other: Sequence[float]) -> float:
    return statistics.median(taken) / statistics.median(other)


if __name__ == "__main__":
    main()
