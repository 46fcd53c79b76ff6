"""A customer in front of the page: signing in, asking, reading sources, rating."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import expect

from tests.browser.conftest import Events, Visit
from tests.browser.server import CLOUD, DISCLOSED
from tests.browser.visitor import REDRAWN

pytestmark = pytest.mark.browser

OVERDRAFT = "What is the overdraft fee?"


def test_the_sign_in_page_shows_the_demo_people_and_fills_them_in(visit: Visit) -> None:
    visitor = visit()
    visitor.page.goto(f"{visitor.url}/login")
    people = visitor.page.locator("#demo-people .demo-name")
    expect(people).to_have_text(["customer", "customer2", "operator", "approver", "reviewer"])
    people.first.click()
    visitor.page.keyboard.press("Enter")
    expect(visitor.welcome).to_contain_text("AI assistant")


def test_a_wrong_password_is_refused(visit: Visit) -> None:
    visitor = visit()
    visitor.page.goto(f"{visitor.url}/login")
    visitor.page.fill("#email", "customer")
    visitor.page.fill("#password", "guess")
    visitor.page.click("button[type=submit]")
    expect(visitor.page.get_by_text("do not match")).to_be_visible()


def test_the_first_message_says_that_an_ai_answers_and_starters_follow(visit: Visit) -> None:
    visitor = visit("customer")
    expect(visitor.welcome).to_contain_text("automated system answers here, not a person")
    visitor.page.get_by_role("button", name="Overdraft fees").click()
    expect(visitor.answers.last).to_contain_text("$15")
    expect(visitor.welcome).to_have_count(1)


def test_an_answer_is_streamed_and_its_citation_opens_the_passage(visit: Visit) -> None:
    visitor = visit("customer")
    answer = visitor.ask(OVERDRAFT)
    expect(answer).to_contain_text("$15")
    expect(answer.get_by_text(DISCLOSED)).to_have_count(0 if CLOUD else 1)
    assert any('"stream_start"' in frame for frame in visitor.frames)
    expect(visitor.panel).to_have_count(0)
    answer.locator("a.element-link").first.click()
    expect(visitor.panel.locator("h3")).to_be_visible()
    expect(visitor.panel).to_contain_text(re.compile(r"Version .+, in force since July 1, 2026"))
    expect(visitor.panel).to_contain_text("Source:")


def test_the_steps_of_an_answer_open(visit: Visit) -> None:
    visitor = visit("customer")
    visitor.ask(OVERDRAFT)
    steps = visitor.page.locator('[data-step-type="tool"]')
    for name in ("Search", "Classify", "Route", "Check"):
        expect(steps).to_contain_text(name)
    steps.get_by_role("button").first.click()
    expect(steps).to_contain_text("passages from")
    expect(steps).to_contain_text("sentences passed")


def test_a_customer_hears_the_own_balance_and_nobody_elses(visit: Visit) -> None:
    maya, daniel = visit("customer"), visit("customer2")
    own = maya.ask("What is the balance of my checking account?")
    expect(own).to_contain_text("4821")
    expect(daniel.ask("What is the balance of my checking account?")).not_to_contain_text("4821")
    own.locator("a.element-link").first.click()
    expect(maya.panel).to_contain_text("Read from your own accounts")


def test_a_follow_up_is_understood(visit: Visit) -> None:
    visitor = visit("customer")
    visitor.ask("What is the monthly fee of Everyday Checking?")
    expect(visitor.ask("And for Wrenfield Savings?")).to_contain_text("$4")


def test_a_question_off_topic_is_declined_without_a_citation(visit: Visit) -> None:
    visitor = visit("customer")
    answer = visitor.ask("Who won the football world cup?")
    expect(answer).to_contain_text("banking at Wrenfield")
    expect(answer.locator("a.element-link")).to_have_count(0)


def test_a_command_that_is_not_the_customers_is_refused(visit: Visit) -> None:
    visitor = visit("customer")
    expect(visitor.ask("/status")).to_contain_text("This needs the role operator or approver")


def test_a_mistyped_command_gets_the_nearest(visit: Visit) -> None:
    visitor = visit("customer")
    expect(visitor.ask("/hlep")).to_contain_text("Did you mean /help?")


def test_a_thumb_and_its_comment_are_recorded(visit: Visit, server_events: Events) -> None:
    visitor = visit("customer")
    visitor.ask(OVERDRAFT)
    visitor.page.locator("button.positive-feedback-off").last.click()
    visitor.page.get_by_role("textbox", name=re.compile("A word about")).fill("clear & short")
    visitor.page.locator("#submit-feedback").click()
    expect(visitor.page.locator("button.positive-feedback-on")).to_be_visible()
    event = server_events("feedback_given")[-1]
    assert (event["value"], event["comment"]) == (1, "clear & short")


def test_signing_out_ends_the_session_in_every_tab(visit: Visit) -> None:
    visitor, other = visit("approver", alone=True), visit("approver", alone=True)
    visitor.page.locator("#user-nav-button").click()
    visitor.page.get_by_role("menuitem", name="Sign out").click()
    expect(visitor.page.locator("#password")).to_be_visible()
    with suppress(TooLate):  # the page may have noticed by itself
        other.page.locator("#chat-input").fill("/help", timeout=REDRAWN)
        other.page.locator("#chat-submit").click(timeout=REDRAWN)
    expect(other.page.locator("#password")).to_be_visible()
