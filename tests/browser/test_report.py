"""The page of an evaluation in a browser: filtered, unfolded, in both modes, on a phone; hostile text is text."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from assistant import report_html
from tests.assistant import assessed
from tests.browser.test_look import PHONE, picture

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report of 250 cases."""
    return written(tmp_path_factory.mktemp("report") / "report.html", report_html.as_html(assessed.whole()))


def written(path: Path, page: str) -> str:
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


def opened(browser: Browser, address: str, **device: object) -> Page:
    page = browser.new_context(**device).new_page()  # type: ignore[arg-type]
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(address)
    return page


def test_cases_are_found_by_state_kind_and_words(browser: Browser, file: str) -> None:
    page = opened(browser, file)
    told, shown = page.locator("#told"), page.locator("details.case:not([hidden])")
    expect(told).to_have_text("250 of 250 cases")
    page.select_option("[name=state]", "lost")
    expect(told).to_have_text("22 of 250 cases")
    page.select_option("[name=kind]", "hostile")
    page.get_by_label("Search").fill("CASE-033 abroad")
    expect(shown).to_have_count(1)
    page.get_by_role("button", name="Fold or unfold").click()
    expect(shown.get_by_text("Not passed: expected decline")).to_be_visible()
    picture(page, "report-filtered")
    page.get_by_role("button", name="Show all").click()
    expect(told).to_have_text("250 of 250 cases")


def test_a_case_and_its_source_open_where_they_are_named(browser: Browser, file: str) -> None:
    page = opened(browser, file)
    page.get_by_role("link", name="case-011").first.click()
    case = page.locator("#c11")
    expect(case.get_by_text("Not passed: missing $2.50")).to_be_in_viewport()
    case.locator(".said a").first.click()
    expect(case.get_by_text("§ 34. A withdrawal")).to_be_visible()
    picture(page, "report-case")


def test_a_case_that_the_filter_hides_is_shown_when_it_is_named(browser: Browser, file: str) -> None:
    page = opened(browser, file)
    page.get_by_label("Search").fill("nothing has this")
    expect(page.locator("#told")).to_have_text("0 of 250 cases")
    page.get_by_role("link", name="case-011").first.click()
    expect(page.locator("#c11")).to_be_visible()


@pytest.mark.parametrize("device", [{}, {"color_scheme": "dark"}, PHONE, {"java_script_enabled": False}])
def test_nothing_runs_over_the_side(browser: Browser, file: str, device: dict[str, object]) -> None:
    page = opened(browser, file, **device)
    page.locator("details.case summary").first.click()
    expect(page.locator("#filter")).to_be_visible(visible=device.get("java_script_enabled", True) is True)
    widths = page.locator("html").bounding_box(), page.viewport_size
    assert widths[0] is not None
    assert widths[1] is not None
    assert widths[0]["width"] <= widths[1]["width"]
    picture(page, f"report-{'-'.join(device) or 'light'}")


def test_hostile_text_does_nothing(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.on("dialog", lambda _: pytest.fail("a text of the report was run"))
    page.goto(written(tmp_path / "hostile.html", report_html.as_html(assessed.hostile())))
    page.locator("details.case summary").first.click()
    expect(page.locator(".said").get_by_text("<script>alert('x')</script>").first).to_be_visible()
    assert page.locator("img").count() == 0
