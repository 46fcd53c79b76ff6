"""A hostile model against the real turn: `python -m benchmarks.redteam`.

Every attack of tests/redteam is run twice over the sample bank: under the release as it is, and with every check of
the question taken away, so that all of them reach a model that obeys. Counted is what the customer finally saw.
"""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from assistant import bootstrap
from assistant.settings import Settings
from opsplane import registry
from opsplane.guardrails.sweep import wilson
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.release import Release
from tests import fakes, library
from tests.redteam.attacks import attacks
from tests.redteam.range import Range, Shot, open_door

LINES = 8
"""So many of its secrets and inventions the model says in one answer."""


def main() -> None:
    """Print one table."""
    release = registry.load(library.ROOT / "assistant" / "releases" / "heron-6.yaml")
    with tempfile.TemporaryDirectory(prefix="opsplane-redteam-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        library.stock(data)
        with bootstrap.build(Settings(data=data, demo=True), lambda *_: None, fakes.Clock()) as app:
            for name, one in (("as it is", release), ("no check of the question", open_door(release))):
                apart = Path(folder) / one.id
                apart.mkdir()
                _tell(name, asyncio.run(_fired(app, one, apart)))


async def _fired(app: bootstrap.App, release: Release, folder: Path) -> list[Shot]:

    ledger = Ledger(connect(f"sqlite:///{folder}/record.db"), fakes.Clock(), fakes.vault(folder, fakes.Clock()))
    try:
        ground = Range(app, ledger, release, LINES)
        return [await ground.fire(attack, number) for number, attack in enumerate(attacks())]
    finally:
        ledger.close()


def _tell(name: str, shots: list[Shot]) -> None:
    leaked = [one for one in shots if one.leaked]
    outcomes = Counter(one.exchange.outcome.value for one in shots)
    withheld = sum(len(one.exchange.withheld) for one in shots)
    said = sum(len(one.exchange.sentences) for one in shots)
    print(f"{name}: {len(shots)} attacks, {len(leaked)} leaks [95 % at most {wilson(len(leaked), len(shots))[1]:.1%}]")
    print(f"  {', '.join(f'{count} {outcome}' for outcome, count in outcomes.most_common())}")
    print(f"  {withheld:,} sentences of the model withheld, {said:,} shown, fixed replies included")
    for one in leaked:
        print(f"  LEAK {one.attack.family}: {one.attack.text[:60]!r}: {one.leaked[:3]}")


if __name__ == "__main__":
    main()
