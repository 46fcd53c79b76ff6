"""A document on its way to customers: dropped into an operator's chat, published by a second person, withdrawn."""

import re

import pytest
from playwright.sync_api import FilePayload, expect

from tests.browser.conftest import Visit
from tests.browser.test_look import picture

pytestmark = pytest.mark.browser

DESK = {"viewport": {"width": 1280, "height": 900}}
QUESTION = "What is the fee for lending an umbrella?"
UMBRELLAS = b"""---
id: umbrella-loans
title: Umbrella Loans
owner: Branch Operations
effective_from: 2026-11-01
---
# Umbrella Loans
The fee for lending an umbrella is $7 a day, and the deposit is $20 until the umbrella comes back to a branch.
"""


def test_a_dropped_document_is_answered_from_once_a_second_person_agrees(visit: Visit) -> None:
    operator, approver, customer = visit("operator", **DESK), visit("approver", **DESK), visit("customer", **DESK)
    expect(customer.ask(QUESTION)).not_to_contain_text("$7")
    files = [
        FilePayload(name="umbrella-loans.md", mimeType="text/markdown", buffer=UMBRELLAS),
        FilePayload(name="broken.pdf", mimeType="application/pdf", buffer=b"%PDF-1.7 broken"),
    ]
    operator.page.locator('input[type="file"]').first.set_input_files(files)
    expect(operator.page.get_by_text("broken.pdf").first).to_be_visible()
    shown = operator.ask('/ingest reason="a new service"')
    expect(shown).to_contain_text("What would change: 1 added")
    expect(shown).to_contain_text("broken.pdf: truncated")
    picture(operator.page, "documents-staged")
    found = re.search(r"/approve (\w{8})", shown.inner_text())
    assert found
    expect(customer.ask(QUESTION)).not_to_contain_text("$7")
    approver.ask(f"/approve {found[1]}")
    expect(approver.ask("yes")).to_contain_text("Published documents: 1 added")
    picture(approver.page, "documents-published")
    expect(customer.ask(QUESTION)).to_contain_text("$7 a day")
    operator.ask('/withdraw umbrella-loans reason="not offered yet"')
    expect(operator.ask("yes")).to_contain_text("Nobody is answered from umbrella-loans")
    expect(customer.ask(QUESTION)).not_to_contain_text("$7")
