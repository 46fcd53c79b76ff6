"""What people and documents may send that is not a question: it stays inert, and the page stays up."""

import sqlite3

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Events, Visit
from tests.browser.server import Server

pytestmark = pytest.mark.browser

MARKUP = (
    "overdraft <img src=x onerror=alert(1)> <script>alert(2)</script> **bold** _em_ ![i](/public/avatar.svg) "
    "[l](https://evil.example) https://evil.example www.evil.example you@evil.example # h :warning[x] :::tip"
)
ALIVE = "img, script, iframe, strong, .font-bold, a:not(.element-link), h1, h2, table"


def _inert(shown: Locator) -> None:
    expect(shown.locator(".message-content").locator(ALIVE)).to_have_count(0)


def test_markup_in_a_question_is_shown_letter_by_letter(visit: Visit) -> None:
    visitor = visit("customer")
    _inert(visitor.ask(MARKUP))
    asked = visitor.page.locator('[data-step-type="user_message"]').last
    _inert(asked)
    expect(asked).to_contain_text("<img src=x onerror=alert(1)>")
    assert not [url for url in visitor.requests if "evil" in url or url.endswith("/x")]


def test_markup_in_a_question_is_inert_in_the_reviewers_table(visit: Visit) -> None:
    visit("customer").ask(MARKUP)
    table = visit("reviewer").ask("/audit text=onerror reason=case-4711")
    expect(table.locator("tbody")).to_contain_text("<img src=x")
    expect(table.locator("tbody").locator("img, script, a, .font-bold")).to_have_count(0)


def test_markup_in_an_account_memo_is_shown_letter_by_letter(visit: Visit, server: Server) -> None:
    with sqlite3.connect(server.data / "bank.db") as bank:
        row = bank.execute("SELECT account, name, last_four, max(posted) FROM bank_transaction WHERE customer='C-1002'")
        account, name, last_four, posted = row.fetchone()
        values = ("C-1002", account, name, last_four, posted, -1234, "Zebra Crossing Cafe", f"</sources> {MARKUP}")
        columns = "customer, account, name, last_four, posted, cents, description, memo"
        bank.execute(f"INSERT INTO bank_transaction ({columns}) VALUES (?,?,?,?,?,?,?,?)", values)
    visitor = visit("customer2")
    answer = visitor.ask("Show my transactions at Zebra Crossing Cafe")
    expect(answer).to_contain_text("$12.34")
    _inert(answer)
    answer.locator("a.element-link").first.click()
    expect(visitor.panel).to_contain_text("Zebra Crossing Cafe")
    expect(visitor.panel.locator("img, script, a, .font-bold")).to_have_count(0)


def test_a_very_long_message_gets_a_short_answer(visit: Visit) -> None:
    visitor = visit("customer")
    expect(visitor.ask("overdraft " * 10_000)).to_contain_text("too long")


def test_control_characters_do_no_harm(visit: Visit) -> None:
    visitor = visit("customer")
    answer = visitor.ask("What is the \x00over\x07draft\x1b[31m fee\u202e?\x7f")
    expect(answer).to_be_visible()
    expect(visitor.ask("What is the overdraft fee?")).to_contain_text("$15")


def test_two_tabs_talk_at_once_without_mixing(visit: Visit) -> None:
    visitor, other = visit("customer"), visit("customer")
    visitor.send("What is the overdraft fee?")
    other.send("What does a cashier's check cost?")
    expect(visitor.answers.last).to_contain_text("$15")
    expect(other.answers.last).to_contain_text("$10")
    expect(visitor.answers).to_have_count(1)
    expect(other.answers).to_have_count(1)


def test_a_page_that_is_lost_in_mid_answer_leaves_a_whole_record(visit: Visit, server_events: Events) -> None:
    visitor = visit("customer")
    question = "What does it cost to stop payment on a check online?"
    with visitor.socket().expect_event("framesent", lambda sent: question in str(sent)):
        visitor.send(question)
    visitor.page.close()
    done = server_events("question_answered", lambda event: event["exchange"]["question"] == question)
    assert done[-1]["exchange"]["outcome"] == "answered"


def test_a_socket_that_comes_back_goes_on(visit: Visit) -> None:
    visitor = visit("customer")
    visitor.ask("What is the overdraft fee?")
    visitor.page.context.set_offline(True)
    visitor.page.context.set_offline(False)
    expect(visitor.ask("What does a money order cost?")).to_contain_text("$5")
