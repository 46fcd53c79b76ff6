"""Chat history: it survives a restart, with its sources."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Server

pytestmark = pytest.mark.browser


def test_the_history_survives_a_restart(visit: Visit, server: Server) -> None:
    visitor = visit("customer2")
    visitor.ask("What is the routing number?")
    server.stop()
    server.start()
    visitor.page.goto(server.url)
    visitor.page.locator("#header #sidebar-trigger-button").click()
    visitor.page.get_by_text("What is the routing number?").first.click()
    expect(visitor.answers.last).to_contain_text("000000518")
    expect(visitor.panel).to_have_count(0)
    visitor.answers.last.locator("a.element-link").first.click()
    expect(visitor.panel).to_contain_text("000000518")
    expect(visitor.ask("What is the overdraft fee?")).to_contain_text("$15")
