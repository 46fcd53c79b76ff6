"""The production configuration in front of the page: Gemini answers, its faults are bridged, and staff see how."""

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests import library
from tests.browser.conftest import PATIENCE, Events, Visit
from tests.browser.line import Caller, Line
from tests.browser.server import DISCLOSED, Server, local_cloud, on_cloud
from tests.browser.test_look import picture
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

DESK = {"viewport": {"width": 1280, "height": 900}}
PACE = ("--token-ms", "10")
"""Slow enough that an answer can be stopped in its middle."""

OFTEN = (
    "What is the fee for a stop payment?",
    "How much is a domestic wire?",
    "What does a new debit card cost?",
    "How much is a paper statement?",
    "What is the fee for a returned deposit?",
    "How much is a cashier's check?",
)
"""Enough questions of Flash for keeping its prompt to pay."""


class Control:
    """The local cloud, as another process steers it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def fails(self, where: str = "") -> None:
        """From now on Gemini cannot be reached there."""
        rule = {"kind": "503", "calls": "gemini", "where": where}
        httpx.post(f"{self._url}/local/faults", json=rule).raise_for_status()

    def mends(self) -> None:
        """All is well again."""
        httpx.delete(f"{self._url}/local/faults").raise_for_status()

    def bills(self) -> list[dict[str, Any]]:
        """What every call of a model cost, oldest first."""
        found: list[dict[str, Any]] = httpx.get(f"{self._url}/local/bills").json()["bills"]
        return found


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    with local_cloud(*PACE) as url:
        yield url


@pytest.fixture(scope="module")
def server(cloud: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, whose cloud may fail."""
    data: Path = tmp_path_factory.mktemp("cloud")
    library.stock(data)
    running = Server(data, on_cloud(cloud)).start()
    yield running
    running.stop()


@pytest.fixture
def control(cloud: str) -> Iterator[Control]:
    found = Control(cloud)
    yield found
    found.mends()


def _opens(visitor: Visitor, answer: Locator, text: str | re.Pattern[str]) -> None:
    answer.locator("a.element-link").first.click()
    expect(visitor.panel).to_contain_text(text)


def test_gemini_answers_from_documents_and_accounts_with_sources(visit: Visit) -> None:
    customer = visit("customer", **DESK)
    answer = customer.ask("What is the overdraft fee?")
    expect(answer).to_contain_text("$15")
    _opens(customer, answer, re.compile("Version .+, in force since"))
    picture(customer.page, "cloud-document")
    own = customer.ask("What is the balance of my checking account?")
    expect(own).to_contain_text("$2,341.17")
    _opens(customer, own, "Read from your own accounts")
    picture(customer.page, "cloud-account")
    expect(customer.page.get_by_text(DISCLOSED)).to_have_count(0)


def test_an_answer_that_is_stopped_is_not_billed_to_its_end(visit: Visit, control: Control) -> None:
    customer = visit("customer", **DESK)
    before = len(control.bills())
    customer.send("What happens when a card is lost, and what does a new one cost?")
    customer.page.locator("#stop-button").click()
    expect(customer.page.get_by_text("Stopped.").first).to_be_visible()
    picture(customer.page, "cloud-stopped")
    until, pause = monotonic() + PATIENCE / 1000, Event()
    while not (bills := control.bills()[before:]) and monotonic() < until:
        pause.wait(0.02)
    assert [one["finish"] for one in bills] == ["CANCELLED"]


def test_an_operator_sees_routes_exports_and_what_a_kept_prompt_costs(visit: Visit, server: Server) -> None:
    with Line(Caller(server.url, "customer2")) as line:
        for text in OFTEN:
            line.say(text)
            line.until("update_message", '"on_message"')
    operator = visit("operator", **DESK)
    expect(operator.ask("/routing")).to_contain_text("Flash is google_genai:gemini-3.8-flash")
    picture(operator.page, "cloud-routing")
    expect(operator.ask("/exports")).to_contain_text("Nothing was sent anywhere yet")
    picture(operator.page, "cloud-exports")
    costs = operator.ask("/cost by=purpose")
    expect(costs.locator("tbody tr", has_text="cache").last).to_contain_text("$0.0")
    expect(costs).not_to_contain_text("(0 cached)")
    picture(operator.page, "cloud-cost")


def test_a_region_that_is_gone_is_bridged_and_a_reviewer_reads_why(
    visit: Visit, control: Control, server_events: Events
) -> None:
    control.fails("locations/us-central1")
    customer = visit("customer", **DESK)
    expect(customer.ask("How much is a cashier's check?")).to_contain_text("$10")
    expect(customer.page.get_by_text(DISCLOSED)).to_have_count(0)
    picture(customer.page, "cloud-region")
    event = server_events("question_answered", lambda event: bool(event["exchange"].get("reroutes")))[-1]
    reviewer = visit("reviewer", **DESK)
    whole = reviewer.ask(f'/exchange {event["exchange"]["id"][:8]} reason="case 4711"')
    expect(whole).to_contain_text(re.compile(r"google_genai:gemini-[\w.-]+ in us-east4: in place of"))
    facts = whole.locator("table").first
    expect(facts).to_contain_text("Rerouted (model.unavailable)")
    expect(facts).to_contain_text("gemini-3.8-flash in us-central1: 503")
    facts.evaluate("table => table.scrollIntoView({block: 'start'})")
    picture(reviewer.page, "cloud-exchange")


def test_without_any_gemini_the_embedded_model_answers_and_says_so(visit: Visit, control: Control) -> None:
    control.fails()
    customer = visit("customer", **DESK)
    answer = customer.ask("What is the monthly fee of Everyday Checking?")
    expect(answer).to_contain_text("$")
    expect(answer).to_contain_text(DISCLOSED)
    _opens(customer, answer, "Source:")
    picture(customer.page, "cloud-embedded")
