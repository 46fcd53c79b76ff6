"""Releases as people type them: listed, read, compared and registered; what is refused is told and recorded."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from assistant import commands, release_panels
from assistant.desk import Desk
from assistant.release_commands import register_export, register_text
from opsplane import registry
from opsplane.control_events import ReleaseEvaluated
from opsplane.difference import Kind, Run, compare, words
from opsplane.errors import Conflict, InvalidRelease, InvalidRequest, NotFound, PlaneError, Refused
from opsplane.events import CommandRefused, CommandRun
from opsplane.pins import Problem, Severity
from tests import fakes

RELEASES = Path(registry.__file__).parents[1] / "assistant" / "releases"
TEXT = (RELEASES / "heron-6.yaml").read_text(encoding="utf-8")
HERON = registry.load(RELEASES / "heron-6.yaml")


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def desk(desk: Desk) -> Desk:
    return replace(desk, releases=RELEASES)


async def shown(desk: Desk, typed: str) -> str:
    return (await commands.run(typed, fakes.OPERATOR, desk)).text.replace("\\", "")


def refused(desk: Desk) -> CommandRefused:
    (entry,) = desk.ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
    return entry.event


async def test_a_release_is_shown_whole_and_can_be_downloaded_as_its_very_bytes(desk: Desk) -> None:
    panel = await commands.run("/release test-1", fakes.OPERATOR, desk)
    assert fakes.release().digest in panel.text
    assert fakes.release().prompt.system in panel.text
    assert panel.download
    assert panel.download.content == fakes.release().canonical()


async def test_releases_marks_the_stable_one_and_tells_who_registered_it(desk: Desk) -> None:
    assert "| stable | 2026-11-23 17:00:00 | opsplane |" in await shown(desk, "/releases")


async def test_a_release_tells_the_evaluations_that_it_passed(desk: Desk) -> None:
    digest = fakes.release().digest
    for passed in (True, False):
        event = ReleaseEvaluated(
            release="test-1",
            digest=digest,
            dataset=f"golden-{passed}",
            report="0" * 64,
            passed=passed,
            summary="9 of 9",
        )
        desk.ledger.append_now(event, fakes.OPERATOR)
    told = await shown(desk, "/release")
    assert "| Evaluations passed | golden-True: 9 of 9 (report 000000000000) |" in told
    assert "golden-False" not in told


async def test_a_release_file_is_registered_and_compared_with_the_stable_one(desk: Desk) -> None:
    told = await shown(desk, "/register heron-6")
    assert HERON.short in told
    assert "`/diff heron-6`" in told
    assert "is registered already" in await shown(desk, "/register heron-6.yaml")
    told = await shown(desk, "/diff heron-6")
    assert f"From {fakes.release().short} to {HERON.short}" in told
    assert f"| retrieval.index | test | {HERON.retrieval.index} |" in told
    assert "From heron-6@" in await shown(desk, "/diff heron-6 test-1")
    runs = [entry.event for entry in desk.ledger.events(["command_run"])]
    assert [run.command for run in runs if isinstance(run, CommandRun)] == ["register", "register", "diff", "diff"]


async def test_what_was_dropped_into_the_chat_is_registered(desk: Desk) -> None:
    text = TEXT.replace("id: heron-6", "id: heron-7").replace("sentences: 3", "sentences: 1")
    panel = await register_text(text, "mine.yaml", fakes.OPERATOR, desk)
    assert "is on the record" in panel.text
    assert "| style.sentences | 4 | 1 |" in await shown(desk, "/diff heron-7")


async def test_a_dropped_export_is_registered_as_the_very_same(desk: Desk) -> None:
    panel = await register_text(HERON.canonical().decode(), "heron-6.json", fakes.APPROVER, desk)
    assert HERON.digest[:12] in panel.text
    assert desk.plane.find("heron-6") == HERON


async def test_what_an_export_must_amount_to_is_checked(desk: Desk) -> None:
    with pytest.raises(InvalidRelease, match="they were changed"):
        await register_export(HERON.canonical(), "heron-6.json", fakes.OPERATOR, desk, digest="0" * 64)
    assert refused(desk).command == "register"


@pytest.mark.parametrize(
    ("typed", "kind", "told"),
    [
        ("/register herno-6", NotFound, "Did you mean heron-6"),
        ("/register", NotFound, "There is no release file"),
        ("/register ../../secrets", NotFound, "There is no release file"),
        ("/release tset-1", NotFound, "Did you mean test-1"),
        ("/diff", InvalidRequest, "Write /diff"),
        ("/diff a b c", InvalidRequest, "Write /diff"),
        ("/diff test-2", NotFound, "Did you mean test-1"),
        ("/diff test-1 nope", NotFound, "Known releases: test-1"),
    ],
)
async def test_bad_input_is_told_in_one_sentence_and_recorded(
    desk: Desk, typed: str, kind: type[PlaneError], told: str
) -> None:
    with pytest.raises(kind, match=told):
        await commands.run(typed, fakes.OPERATOR, desk)
    assert told in refused(desk).reason
    assert desk.ledger.count(["release_registered"]) == 1


async def test_a_changed_file_under_a_used_name_is_refused_and_nothing_is_written(desk: Desk) -> None:
    await commands.run("/register heron-6", fakes.OPERATOR, desk)
    with pytest.raises(Conflict, match=f"{HERON.short}.*another id"):
        await register_text(TEXT.replace("sentences: 3", "sentences: 1"), "heron-6.yaml", fakes.OPERATOR, desk)
    assert "another id" in refused(desk).reason
    assert desk.ledger.count(["release_registered"]) == 2


async def test_a_mistake_in_a_dropped_file_is_told_with_its_line_and_recorded(desk: Desk) -> None:
    with pytest.raises(InvalidRelease, match=r"mine\.yaml: line \d+: style\.sentences"):
        await register_text(TEXT.replace("sentences: 3", "sentences: 99"), "mine.yaml", fakes.OPERATOR, desk)
    assert "style.sentences" in refused(desk).reason


async def test_who_may_not_register_is_not_told_what_is_wrong_with_the_file(desk: Desk) -> None:
    with pytest.raises(Refused):
        await register_text("id: [", "mine.yaml", fakes.REVIEWER, desk)
    assert "role" in refused(desk).reason


def test_what_speaks_against_the_models_stands_above_everything() -> None:
    problems = [
        Problem(Severity.REFUSE, "models.flash", "google_genai:gemini-pro names no version."),
        Problem(Severity.WARN, "models.pro", "It is retired on 2026-12-24."),
    ]
    text = release_panels.release(fakes.release(), problems).text.replace("\\", "")
    assert "**It cannot become the stable release:** models.flash: google_genai:gemini-pro names no version." in text
    assert "**Alert:** models.pro: It is retired on 2026-12-24." in text
    assert text.index("Alert") < text.index("| Field |")


def test_what_came_later_is_shown_where_it_is_set() -> None:
    assert "Generation" not in release_panels.release(fakes.release()).text
    lineage = {
        "base": "google_genai:gemini-3.5-flash",
        "data_sha256": "0" * 64,
        "examples": 1_200,
        "method": "supervised",
        "hyperparameters": {"epochs": 3},
        "trained": "2026-10-01",
    }
    one = fakes.release(
        generation={"temperature": 0}, safety={"HARM_CATEGORY_HARASSMENT": "OFF"}, tested_with=["a:b"], lineage=lineage
    )
    text = release_panels.release(one, reports=["golden: 185 of 198"]).text.replace("\\", "")
    for row in (
        "| Generation | temperature 0.0 |",
        "| Safety | HARM_CATEGORY_HARASSMENT OFF |",
        "| Tested with | a:b |",
        f"2026-10-01: 1,200 examples, SHA-256 {'0' * 64}; epochs 3 |",
        "| Evaluations passed | golden: 185 of 198 |",
    ):
        assert row in text


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("The fee is 15 dollars.", "The fee is 12 dollars.", r"The fee is ~~15~~ **12** dollars\."),
        ("A word here.", "A word, here.", "A word**\u2060,\u2060** here\\."),
        ("", "new", "**new**"),
        ("old", "", "~~old~~"),
        ("see [this](http://x)", "see", r"see ~~" + "\u2060" + r"\[this\]\(http\://x\)" + "\u2060~~"),
        ("one\ntwo three", "one two four", "one two ~~three~~ **four**"),
        ("x **y** z", "x **y** w", r"x \*\*y\*\* ~~z~~ **w**"),
    ],
)
def test_changed_words_are_marked_and_nobodys_markup_comes_to_life(before: str, after: str, told: str) -> None:
    assert release_panels.marked(words(before, after)) == told


def test_only_a_little_is_shown_around_a_change() -> None:
    lot = " ".join(f"word{number}" for number in range(100))
    text = release_panels.marked([Run(Kind.SAME, lot + " "), Run(Kind.ADDED, "new "), Run(Kind.SAME, lot)])
    assert len(text) < 150
    assert "word98 word99 **new** word0 word1" in text
    assert text.startswith("… ")
    assert text.endswith(" …")


def test_spaces_alone_are_told_in_words() -> None:
    one, other = (fakes.release(prompt={"system": f"You answer from{space}the sources only."}) for space in (" ", "\n"))
    assert "only spaces and line ends differ" in release_panels.difference(compare(one, other)).text


def test_a_difference_goes_with_a_file_that_has_it_whole() -> None:
    panel = release_panels.difference(compare(fakes.release(), HERON))
    assert panel.download
    told = json.loads(panel.download.content)
    assert (told["before"], told["after"]) == (fakes.release().short, HERON.short)
    assert "compliance rules" in panel.text.lower()
    assert len(told["rules"]) == sum(len(pack.rules) for pack in HERON.guardrails.rules)


def test_where_nothing_differs_that_is_said() -> None:
    assert "Nothing differs" in release_panels.difference(compare(HERON, HERON)).text


def test_the_candidate_that_ships_differs_from_the_first_in_what_its_note_says() -> None:
    heron3 = registry.load(RELEASES / "heron-7.yaml")
    found = compare(HERON, heron3)
    assert [change.field for change in found.texts] == ["prompt.system"]
    assert {change.field for change in found.fields} == {
        *("id", "note", "style.sentences", "models.pro.settings.sentences", "tested_with")
    }
    assert not found.rules
