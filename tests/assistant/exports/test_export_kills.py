"""An exporter that is killed at the worst moments: every row is there once all the same."""

import random
from contextlib import closing

from assistant.bigquery import Warehouse
from assistant.bigquery_tables import TABLES
from assistant.settings import Settings
from tests.assistant.exports.killing import Killing, opened, ways
from tests.assistant.exports.turns import once_each
from tests.vertex.bigquery import Local


def test_exporters_that_are_killed_leave_every_row_once(
    settings: Settings, server: Local, warehouse: Warehouse
) -> None:
    ledger, held = opened(settings)
    with closing(held), closing(ledger):
        killing = Killing(ledger, settings, server, seed=7)
        for number, way in enumerate(ways(random.Random(7), 6)):
            killing.kill(way, ends=number == 3)
        killing.finish()
        assert once_each(ledger, warehouse, TABLES)
    assert sum(killing.tally.killed.values()) + killing.tally.survived == 6
    assert killing.tally.killed["kill after"]
    assert killing.tally.under_way


def test_the_check_finds_out_an_exporter_without_offsets(
    settings: Settings, server: Local, warehouse: Warehouse
) -> None:
    ledger, held = opened(settings)
    with closing(held), closing(ledger):
        killing = Killing(ledger, settings, server, seed=7, careful=False)
        killing.kill("kill after")
        killing.finish()
        assert not once_each(ledger, warehouse)
