"""Operators and reviewers in front of the page: every command, typed, picked and mistyped."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import STABLE

pytestmark = pytest.mark.browser


def test_an_operator_sees_what_serves_customers(visit: Visit) -> None:
    visitor = visit("operator")
    expect(visitor.ask("/status")).to_contain_text("Stable release")
    expect(visitor.ask("/releases").locator("table")).to_contain_text(STABLE)
    expect(visitor.ask(f"/release {STABLE}")).to_contain_text("You are the assistant of Wrenfield Bank")
    expect(visitor.ask("/help").locator("table")).to_contain_text("/status")
    expect(visitor.ask("/audit")).to_contain_text("This needs the role reviewer")


def test_a_command_picked_from_the_menu_is_the_typed_one(visit: Visit) -> None:
    visitor = visit("operator")
    visitor.page.locator("#chat-input").press_sequentially("/stat")
    visitor.page.locator("#command-status, .command-item").first.click()
    visitor.page.locator("#chat-submit").click()
    expect(visitor.answers.last).to_contain_text("Stable release")


def test_a_reviewer_finds_an_exchange_and_downloads_the_table(visit: Visit, tmp_path: Path) -> None:
    visit("customer").ask("How much is a cashier's check?")
    reviewer = visit("reviewer")
    expect(reviewer.ask('/audit customer=C-1001 text="cashier"')).to_contain_text("Why are you reading the record?")
    table = reviewer.ask("case 4711")
    expect(table.locator("tbody tr").first).to_contain_text("answered")
    exchange = table.locator("tbody tr td").first.inner_text()
    with reviewer.page.expect_download() as started:
        table.locator("a[download]").click()
    started.value.save_as(tmp_path / "audit.csv")
    with (tmp_path / "audit.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["id"].startswith(exchange)
    whole = reviewer.ask(f"/exchange {exchange}")
    expect(whole).to_contain_text("cashier's check")
    expect(whole).to_contain_text(re.compile("question_received|Question received"))


def test_a_reviewer_without_a_match_is_told_so(visit: Visit) -> None:
    visitor = visit("reviewer")
    expect(visitor.ask("/reason case 4711")).to_contain_text("case 4711")
    expect(visitor.ask("/audit text=nobody-ever-asked-this")).to_contain_text("No exchange fits")
    expect(visitor.ask("/exchange 00000000")).to_contain_text("no exchange")
    expect(visitor.ask("/audti")).to_contain_text("Did you mean /audit?")


def test_an_approver_signs_in_and_may_see_the_status(visit: Visit) -> None:
    expect(visit("approver").ask("/status")).to_contain_text("Stable release")


def test_a_reviewer_judges_an_answer_and_writes_what_it_should_have_been(visit: Visit) -> None:
    visit("customer").ask("How much is a cashier's check?")
    reviewer = visit("reviewer")
    table = reviewer.ask('/audit customer=C-1001 text="cashier" reason="case 4711"')
    exchange = table.locator("tbody tr td").first.inner_text()
    expect(reviewer.ask(f"/review {exchange}")).to_contain_text("Decide with")
    verdict = f'/review {exchange} wrong score=20 comment="too long"'
    judged = reviewer.ask(f"{verdict}\nA cashier's check costs $10.")
    expect(judged).to_contain_text("is on the record as wrong")
    expect(reviewer.ask(f"/exchange {exchange}")).to_contain_text("A cashier's check costs $10.")
    expect(reviewer.ask("/coverage")).to_contain_text("By reviewer")
