import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest
from selectolax.lexbor import LexborHTMLParser as Page

from assistant import report_html
from opsplane.evaluation.assessment import Assessment
from tests import reports
from tests.assistant import assessed


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(report_html.as_html(assessed.whole()))


def told(page: Page, selector: str) -> list[str]:
    return [" ".join(node.text(separator=" ").split()) for node in page.css(selector)]


def test_the_page_is_small_and_the_same_each_time() -> None:
    page = report_html.as_html(assessed.whole())
    assert len(page.encode()) < 2_000_000
    assert page == report_html.as_html(assessed.whole())


def test_nothing_comes_from_elsewhere() -> None:
    page = report_html.as_html(assessed.whole())
    assert not re.findall(r"https?:|//[a-z]|<link|<img|<iframe|\bsrc=|@import|url\(", page)
    assert page.count("<script") == 1


def test_the_page_may_run_its_own_script_and_no_other(page: Page) -> None:
    policy = page.css("meta[http-equiv]")[0].attributes["content"]
    script = page.css("script")[0].text(deep=True)
    assert f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in str(policy)
    assert "default-src 'none'" in str(policy)


def test_the_verdict_stands_at_the_top(page: Page) -> None:
    assert told(page, "header .result")[0].startswith("✗ Gate failed: facts: changed by -0.060")
    assert told(page, "header p")[1] == "227 of 250 cases passed."


def test_every_table_has_a_caption_and_headings(page: Page) -> None:
    tables = page.css("table")
    assert all(one.css("caption") and one.css('thead th[scope="col"]') for one in tables)
    assert {"Demands of the policy", "Measures", "Measures before and now", "By kind", "By tag"} <= {
        *told(page, "caption")
    }


def test_measures_stand_with_their_interval_and_what_they_rest_on(page: Page) -> None:
    rows = told(page, "section[aria-labelledby=measures] tbody tr")
    assert "Every expected fact 0.910 0.862 to 0.952 higher 167 0 counted" in rows
    assert "Judge, by rubric 0.945 0.920 to 0.971 higher 167 3 a language model" in rows
    assert "Whole turn 82 ms 79 ms to 85 ms lower 250 0 the clock of this machine" in rows


def test_cases_unfold_to_everything_about_them(page: Page) -> None:
    said = told(page, "#c11")[0]
    for part in (
        "✗ not passed case-011 lost version",
        "Not passed: missing $2.50",
        "Asked by customer",
        "two of these fees or two fees",
        "Answer of heron-8 Answered A withdrawal outside of the network costs $2.80. [1]",
        "Answer of heron-7 Answered A withdrawal outside of the network costs $2.50. [1]",
        "Every expected fact 0.000 1.000 missing $2.50",
        "right 0.000, style 0.750",
        "[1] Fees · 34. Fees at machines fees 2026-10",
    ):
        assert part in said
    assert "Withheld: the customer did not see this You will always be refunded. [2]" in told(page, "#c18")[0]


def test_every_mark_leads_to_a_source_and_every_source_to_its_words(page: Page) -> None:
    ids = {node.attributes["id"] for node in page.css("[id]")}
    links = [str(node.attributes["href"]) for node in page.css("a")]
    assert len(links) > 1_000
    assert all(link[1:] in ids for link in links)
    assert len(ids) == len(page.css("[id]"))


def test_the_words_of_a_passage_stand_once(page: Page) -> None:
    passages = told(page, "section[aria-labelledby=sources] .text")
    assert len(passages) == len(set(passages)) == 60


def test_hostile_text_stays_text() -> None:
    written = report_html.as_html(assessed.hostile())
    page = Page(written)
    assert len(page.css("script")) == 1
    assert not page.css("img")
    assert all(name.startswith("on") is False for node in page.css("*") for name in node.attributes)
    assert "&lt;script&gt;" in written
    assert not set("\x00\x1b\u202e") & set(written)


def test_a_mark_without_a_source_leads_nowhere() -> None:
    page = Page(report_html.as_html(assessed.hostile()))
    assert told(page, ".said a") == ["[1]"]


def test_a_bare_report_is_a_page_too() -> None:
    page = Page(report_html.as_html(Assessment(reports.report([1.0, None]))))
    assert told(page, "h2") == ["Measures", "By kind", "Cases", "Where this comes from"]
    assert told(page, "select[name=state] option") == ["all", "not passed", "passed", "something unscored"]


def test_an_interrupted_or_empty_run_says_so() -> None:
    page = Page(report_html.as_html(Assessment(reports.report([1.0], asked=5))))
    assert told(page, "header p") == ["1 of 1 cases passed; 4 of 5 were not answered, the run was interrupted."]
    assert "No case was answered." in report_html.as_html(Assessment(reports.report([], asked=5)))


def test_without_the_baseline_the_comparison_is_told_and_old_answers_are_not() -> None:
    page = Page(report_html.as_html(replace(assessed.whole(), baseline=None)))
    assert told(page, "section[aria-labelledby=comparison] h3") == ["Lost", "Won"]
    assert not page.css(".beside")
