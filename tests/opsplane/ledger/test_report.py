"""The page that people read: everything about a turn is on it, nothing in it comes to life, nothing is fetched."""

import re
from html.parser import HTMLParser
from typing import Any

from opsplane.events import CommandRun, Event, FeedbackGiven, QuestionAnswered, ReleasePromoted
from opsplane.evidence import Sentence
from opsplane.finding import Action, Finding
from opsplane.ledger.report import Cover, Turn, page
from opsplane.ledger.store import Entry
from tests import fakes
from tests.opsplane.ledger.records import turn

COVER = Cover("Record of the assistant", [("Ledger", "opsplane/abc"), ("Why", "case <17>")], 1)


def told(*turns: Turn, history: tuple[Entry, ...] = (), cover: Cover = COVER) -> str:
    return "".join(page(cover, history, turns))


def whole(**changes: Any) -> Turn:
    exchange = turn(1, **changes)[1]
    events: tuple[Event, ...] = (
        QuestionAnswered(exchange=exchange),
        FeedbackGiven(exchange=exchange.id, value=0, comment="no good"),
    )
    story = [Entry(number, fakes.NOON, fakes.CUSTOMER, event) for number, event in enumerate(events, 7)]
    return Turn(exchange, story, "2026-11-01 by approver: tested")


def test_a_turn_is_told_with_who_what_when_release_sources_and_findings() -> None:
    finding = Finding(
        code="grounding.figure", action=Action.WITHHOLD, stage="answer", span="$99", detail="not in source"
    )
    html = told(whole(findings=(finding,), withheld=(Sentence(text="It is $99."),)))
    for words in (
        "customer C-1001, signed in as customer",
        "2026-11-23 17:00:00",
        "What is fee 1?",
        "Fee 1 is $15.<sup>[1]</sup>",
        "[1] Fee Schedule › Fees, version 2026-07, in force since 2026-07-01",
        "Fee 1 is $15 for each item.",
        "2026-11-01 by approver: tested",
        "grounding.figure",
        "It is $99.",
        "thumb down no good",
        "57 micro-dollars",
        fakes.release().digest,
    ):
        assert words in html


def test_what_people_wrote_stays_text() -> None:
    evil = '<script>alert(1)</script><img src="http://x/y">&'
    html = told(whole(question=evil, sentences=(Sentence(text=evil),), error=evil, customer=evil, id=evil))
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_nothing_is_loaded_from_anywhere() -> None:
    html = told(whole())
    assert all(target.startswith("#") for target in re.findall(r'(?:src|href)="([^"]*)"', html))
    assert "default-src 'none'" in html
    assert "http:" not in html.replace("http-equiv", "")


def test_the_page_is_well_formed() -> None:
    class Nesting(HTMLParser):
        open: tuple[str, ...] = ()

        def handle_starttag(self, tag: str, *_: object) -> None:
            self.open = self.open if tag == "meta" else (*self.open, tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open[-1] == tag
            self.open = self.open[:-1]

    parser = Nesting()
    parser.feed(told(whole(), history=(_promoted(),)))
    assert parser.open == ()


def test_who_put_which_release_in_force_is_told() -> None:
    html = told(history=(_promoted(),))
    assert "release promoted" in html
    assert "approver (approver)" in html
    assert "reason: it is better" in html


def test_more_exchanges_than_the_page_holds_are_said_to_be_elsewhere() -> None:
    html = told(whole(), cover=Cover("t", [], 5_000))
    assert "5000 exchanges. The first 1 are told here" in html


def test_an_empty_export_says_so() -> None:
    assert "The export holds no exchange." in told(cover=Cover("t", [], 0))


def test_other_events_of_an_exchange_are_told_by_their_fields() -> None:
    one = whole()
    read = Entry(9, fakes.NOON, fakes.REVIEWER, CommandRun(command="exchange", arguments="abc", rows=1))
    assert "command: exchange; arguments: abc; rows: 1" in told(Turn(one.exchange, [*one.story, read], ""))


def _promoted() -> Entry:
    event = ReleasePromoted(release="test-1", digest="d" * 64, reason="it is better")
    return Entry(4, fakes.NOON, fakes.APPROVER, event)
