"""The board: what is on the record, read on from the last look."""

from datetime import timedelta

from opsplane.events import Event
from opsplane.handover import Stage
from opsplane.handover_board import Board
from opsplane.handover_events import HandoverAsked, HandoverClosed, HandoverTaken
from opsplane.ledger.store import Ledger
from tests import fakes
from tests.opsplane.waiting import asked

ONE = "aaaaaaaa-1"


def put(ledger: Ledger, *events: Event) -> None:
    for event in events:
        ledger.append_now(event, fakes.CUSTOMER, ONE, "C-1001")
    ledger.settle()


def test_a_look_sees_what_came_since_the_last(ledger: Ledger) -> None:
    board = Board()
    assert board.look(ledger) == {}
    put(ledger, asked())
    assert board.look(ledger)[ONE].stage is Stage.WAITING
    put(ledger, HandoverTaken(handover=ONE, by="operator", talk="desk-1"))
    assert board.look(ledger)[ONE].by == "operator"


def test_news_is_told_once_and_only_what_counted(ledger: Ledger) -> None:
    board = Board()
    first, second = (HandoverTaken(handover=ONE, by=name, talk="desk-1") for name in ("operator", "reviewer"))
    put(ledger, asked(summary="I lost my card"), first, second)
    news = board.news(ledger)
    assert [one.event for one in news] == [asked(), first]  # without words
    assert board.news(ledger) == []


def test_another_process_sees_the_same(ledger: Ledger) -> None:
    early = Board()
    early.look(ledger)
    put(ledger, asked(), HandoverTaken(handover=ONE, by="operator", talk="desk-1"))
    assert early.look(ledger) == Board().look(ledger)


def test_what_began_days_ago_is_not_read_again(ledger: Ledger, clock: fakes.Clock) -> None:
    put(ledger, asked("bbbbbbbb-2"))
    clock.at += timedelta(days=5)
    put(ledger, asked(at=clock.at))
    assert list(Board().look(ledger)) == [ONE]


def test_those_that_are_over_are_forgotten_when_they_are_many(ledger: Ledger) -> None:
    board = Board()
    events: list[HandoverAsked | HandoverClosed] = []
    for number in range(1_010):
        name = f"{number:08}"
        closed = HandoverClosed(handover=name, side="customer", by="customer", outcome="withdrawn")
        events += [asked(name), closed]
    for done in [ledger.submit(event, fakes.CUSTOMER) for event in events]:
        done.result()
    put(ledger, asked())
    assert len(board.look(ledger)) == 1_001
    assert ONE in board.look(ledger)


def test_a_wait_is_a_day_at_most() -> None:
    assert Board(timedelta(days=30)).wait == timedelta(days=1)
