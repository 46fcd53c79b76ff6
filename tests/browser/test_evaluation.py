"""Evaluations in the page: an operator runs one and opens its report; a reviewer's verdict becomes a golden case."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests import library
from tests.browser.conftest import Visit
from tests.browser.server import Server
from tests.browser.test_look import DESK, picture
from tests.browser.test_report import opened
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

SET = """
as_of: 2026-11-23
cases:
  - {id: fee, kind: fees, question: "How much is the overdraft fee?", facts: [$15], documents: [overdraft-terms]}
  - {id: cake, kind: off-topic, question: "How do I bake a cake?", expect: decline}
  - {id: gold, kind: fees, question: "How much is the overdraft fee?", facts: [$99], documents: [overdraft-terms]}
"""
QUESTION = "How much is a cashier's check?"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, production: dict[str, str]) -> Iterator[Server]:
    """A server whose golden set has three cases, of which it cannot pass one."""
    data, datasets = tmp_path_factory.mktemp("evaluated"), tmp_path_factory.mktemp("datasets")
    (datasets / "golden.yaml").write_text(SET)
    library.stock(data)
    running = Server(data, {**production, "OPSPLANE_DATASETS": str(datasets), "OPSPLANE_SCHEDULE": "0"}).start()
    yield running
    running.stop()


def saved(visitor: Visitor, panel: Locator, ending: str, folder: Path) -> Path:
    """The file of a panel whose name ends so."""
    with visitor.page.expect_download() as started:
        panel.locator(f'a[download$="{ending}"]').click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def test_an_operator_evaluates_opens_the_page_and_finds_the_report_again(visit: Visit, tmp_path: Path) -> None:
    operator = visit("operator", **DESK)
    panel = operator.ask("/evaluate")
    expect(panel).to_contain_text("2 of 3 cases passed.")
    expect(panel).to_contain_text("Gate inconclusive")
    picture(operator.page, "evaluation")
    path = saved(operator, panel, ".html", tmp_path)
    browser = operator.page.context.browser
    assert browser
    page = opened(browser, path.as_uri())
    page.select_option("[name=state]", "failed")
    case = page.locator("details.case:not([hidden])")
    expect(case).to_have_count(1)
    case.locator("summary").first.click()
    expect(case.get_by_text("Not passed: missing $99")).to_be_visible()
    digest = path.stem.removeprefix("report-")
    expect(operator.ask("/report").locator("tbody tr")).to_contain_text([digest])
    expect(operator.ask(f"/report {digest}")).to_contain_text("2 of 3 cases passed.")


def test_a_reviewer_judges_by_the_rubric_and_makes_a_golden_case_of_the_answer(visit: Visit) -> None:
    visit("customer").ask(QUESTION)
    reviewer = visit("reviewer", **DESK)
    table = reviewer.ask('/audit customer=C-1001 text="cashier" reason="case 4711"')
    exchange = table.locator("tbody tr td").first.inner_text()
    expect(reviewer.ask(f"/review {exchange}")).to_contain_text("accuracy")
    judged = reviewer.ask(f"/review {exchange} wrong accuracy=5 completeness=2\nA cashier's check costs $10.")
    expect(judged).to_contain_text("accuracy 5, completeness 2")
    added = reviewer.ask(f'/golden add {exchange} kind=fees name=cashier facts="$10"')
    expect(added).to_contain_text("A cashier's check costs $10.")
    listed = reviewer.ask("/golden")
    expect(listed.locator("tbody tr")).to_contain_text([QUESTION])
    picture(reviewer.page, "golden-case")


def test_a_judge_that_nobody_held_against_people_has_no_vote(visit: Visit) -> None:
    operator = visit("operator", **DESK)
    panel = operator.ask("/judge")
    expect(panel).to_contain_text("Here judges embedded")
    expect(panel).to_contain_text("It has no vote yet")
    picture(operator.page, "judge")
