"""A customer asks for a person, and a member of staff answers in the same chat: two pages, both ways, and back."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Events, Visit
from tests.browser.test_look import picture
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

DESK = {"viewport": {"width": 1280, "height": 800}}
WANTED = "I want to talk to a human"


def _told(visitor: Visitor, text: str) -> Locator:
    """What a page was told without having asked."""
    return visitor.page.locator('[data-step-type="system_message"]', has_text=text)


def _say(visitor: Visitor, text: str) -> None:
    """Write, and see that it was passed on."""
    before = visitor.answers.count()
    visitor.send(text)
    expect(visitor.answers).to_have_count(before + 1)
    expect(visitor.answers.last).to_contain_text("Passed on to")


def _take(staff: Visitor, notice: Locator) -> Locator:
    found = re.search(r"/queue take (\S{8})", notice.inner_text())
    assert found
    staff.send(f"/queue take {found[1]}")
    context = staff.answers.filter(has_text="You speak with")
    expect(context).to_be_visible()
    return context


@pytest.fixture
def customer(visit: Visit) -> Iterator[Visitor]:
    """A customer whose hand-over is over when the test is."""
    visitor = visit("customer", **DESK)
    yield visitor
    visitor.send("/end")
    expect(visitor.answers.last).to_contain_text(re.compile("person|asked"))


def test_a_person_answers_in_the_customers_chat_until_either_ends_it(visit: Visit, customer: Visitor) -> None:
    operator = visit("operator", **DESK)
    customer.send(WANTED)
    expect(customer.answers.last).to_contain_text("A person has been asked. You are number 1 in the queue.")
    picture(customer.page, "handover-asked")
    context = _take(operator, _told(operator, "A customer waits for a person."))
    expect(context).to_contain_text(WANTED)
    expect(context).to_contain_text("C-1001")
    picture(operator.page, "handover-taken")
    expect(_told(customer, "Operator of Wrenfield staff is here.")).to_be_visible()
    _say(customer, "I lost <b>my card</b>, *please* help")
    expect(_told(operator, "I lost <b>my card</b>, *please* help")).to_contain_text("C-1001")
    _say(operator, "Good evening, [I](https://evil.example) have blocked it.")
    heard = _told(customer, "Good evening, [I](https:")
    expect(heard).to_contain_text("Wrenfield staff · Operator")
    expect(heard.locator("a, b")).to_have_count(0)
    picture(customer.page, "handover-spoken")
    picture(operator.page, "handover-spoken-staff")
    operator.send("/end solved")
    expect(_told(customer, "The assistant answers you again.")).to_be_visible()
    expect(customer.ask("What is the overdraft fee?")).to_contain_text("$15")


def test_what_was_said_survives_a_reload_on_both_sides(visit: Visit, customer: Visitor, server_events: Events) -> None:
    reviewer = visit("reviewer", **DESK)
    customer.send("/person")
    expect(customer.answers.last).to_contain_text("A person has been asked.")
    _take(reviewer, _told(reviewer, "A customer waits for a person."))
    expect(_told(customer, "Reviewer of Wrenfield staff is here.")).to_be_visible()
    _say(reviewer, "How can I help?")
    expect(_told(customer, "How can I help?")).to_be_visible()
    _say(customer, "My card is 4111 1111 1111 1111")
    expect(_told(reviewer, "My card is")).not_to_contain_text("4111 1111")
    for visitor in (customer, reviewer):
        visitor.page.reload()
    expect(_told(customer, "How can I help?")).to_contain_text("Wrenfield staff · Reviewer")
    expect(_told(reviewer, "You speak with C-1001")).to_contain_text("My card is")
    picture(customer.page, "handover-reloaded")
    picture(reviewer.page, "handover-reloaded-staff")
    _say(reviewer, "Still there?")
    expect(_told(customer, "Still there?")).to_have_count(1)
    customer.send("/end")
    expect(_told(reviewer, "C-1001 ended the conversation.")).to_be_visible()
    (closed,) = server_events("handover_closed", lambda event: event["by"] == "customer")[-1:]
    assert closed["side"] == "customer"
    reviewer.send("What is the overdraft fee?")
    expect(reviewer.answers.last).to_contain_text("$15")


def test_a_customer_has_no_queue(customer: Visitor) -> None:
    customer.send("/queue")
    expect(customer.answers.last).to_contain_text("This needs the role operator or reviewer or approver")
