"""The page of a closing report stands by itself: it tells everything, and nothing in it comes to life."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from opsplane.control_events import RolloutAborted, RolloutConcluded
from opsplane.ledger.store import Ledger
from opsplane.rollouts.closing import Closing, as_json, digest
from opsplane.rollouts.closing_page import as_html
from opsplane.rollouts.rollout import STABLE
from tests import fakes
from tests.opsplane.rollouts.test_closing import EXPERIMENT, SHADOW, THREE, TWO, Stage, half

_VOID = {"meta", "br"}
_HOSTILE = '</td><script>alert(1)</script><img src="http://bad.example/x.png" onerror="alert(2)">'


class Page(HTMLParser):
    """Raises where tags do not close as they opened; remembers tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    """SQLite alone: what is shown does not depend on the database."""
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def stage(ledger: Ledger) -> Stage:
    return Stage(ledger)


def page(closing: Closing) -> Page:
    return Page(as_html(closing))


def test_the_page_needs_nothing_else_and_has_no_script(stage: Stage) -> None:
    stage.start(half())
    stage.crowd(60)
    read = page(stage.closing())
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(read.tags)
    loads = {"src", "href", "xlink:href", "action", "data", "srcset"}
    assert not [name for name, _ in read.attributes if name in loads or name.startswith("on")]
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in read.attributes
    assert "svg" in read.tags


def test_markup_in_reasons_stays_text(stage: Stage) -> None:
    stage.start(reason=_HOSTILE)
    stage.put(RolloutAborted(rollout="r0000001", cause="operator", reason=_HOSTILE))
    html = as_html(stage.closing())
    assert "<script" not in html
    assert "<img" not in html
    assert Page(html).text.count(_HOSTILE) == 2


def test_it_names_the_json_files_digest_plan_approvals_and_record(stage: Stage) -> None:
    stage.start()
    closing = stage.closing()
    text = page(closing).text
    assert digest(closing) in text
    assert closing.plan.canonical() in text
    assert stage.ledger.id in text
    assert (TWO.digest in text, closing.salt in text) == (True, True)


def test_one_in_progress_is_called_so(stage: Stage) -> None:
    stage.start()
    text = page(stage.closing()).text
    assert "Still in progress (running)" in text
    assert "not yet" in text


def test_what_the_candidate_changes_is_marked_word_by_word(stage: Stage) -> None:
    stage.start()
    html = as_html(stage.closing())
    assert "<ins>given" in html
    assert "<del>the" in html
    assert "&lt;b&gt;second&lt;/b&gt;" in html


def test_a_failed_rollout_shows_cause_numbers_and_pictures(stage: Stage) -> None:
    stage.start(half())
    stage.crowd(80, bad="candidate")
    stage.watcher.look_now()
    read = page(stage.closing())
    assert "Aborted (guardrail)" in read.text
    assert "-100.0 (-100.0 to" in read.text
    assert read.tags.count("svg") == 2
    assert "failed" in read.text


def test_each_candidate_of_an_experiment_has_a_chapter(stage: Stage) -> None:
    stage.start(fakes.plan(**EXPERIMENT), (TWO.digest, THREE.digest))
    stage.crowd(80, bad=STABLE)
    stage.put(RolloutConcluded(rollout="r0000001", winner=THREE.digest, reason="best"))
    text = page(stage.closing()).text
    assert f"Concluded: {THREE.short}." in text
    assert f"Not chosen: {TWO.short}." in text
    assert (f"Metrics of {TWO.short}" in text, f"Metrics of {THREE.short}" in text) == (True, True)


def test_a_shadow_has_no_split_to_check(stage: Stage) -> None:
    stage.start(fakes.plan(**SHADOW))
    stage.put(RolloutConcluded(rollout="r0000001", reason="seen enough"))
    text = page(stage.closing()).text
    assert "there is no split to check" in text
    assert "no winner was named" in text


def test_one_customer_alone_makes_a_page(stage: Stage) -> None:
    stage.start(half())
    stage.ask("C-1")
    closing = stage.closing()
    assert "nan" not in as_json(closing).lower()
    assert page(closing).text
