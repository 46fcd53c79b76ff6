from datetime import date

import pytest

from knowledge import timeline
from knowledge.document import Document, Section


def version(
    name: str, start: date, end: date | None = None, *, of: str = "d", supersedes: tuple[str, ...] = ()
) -> Document:
    return Document(
        id=of,
        title="D",
        source="d",
        version=name,
        effective_from=start,
        effective_to=end,
        supersedes=supersedes,
        sections=(Section(path=(), text=name),),
        sha256=name,
    )


def ends(*documents: Document) -> dict[str, date | None]:
    return {one.name: one.effective_to for one in timeline.settle(documents)[0]}


def test_a_version_ends_the_day_before_the_next_begins() -> None:
    second, tenth = version("2", date(2025, 1, 1)), version("10", date(2026, 1, 1))
    assert ends(tenth, second) == {"d@2": date(2025, 12, 31), "d@10": None}


def test_of_two_versions_of_one_day_the_later_stands_and_the_other_is_refused() -> None:
    settled, refused, _ = timeline.settle([version("10", date(2026, 1, 1)), version("9", date(2026, 1, 1))])
    assert [one.name for one in settled] == ["d@10"]
    assert [(one.name, "both cannot be in force" in one.reason) for one in refused] == [("d@9", True)]


def test_an_earlier_end_stays_as_stated_and_a_later_one_is_noted() -> None:
    early = version("1", date(2025, 1, 1), date(2025, 3, 31))
    late = version("2", date(2026, 1, 1), date(2030, 1, 1))
    settled, _, notes = timeline.settle([early, late, version("3", date(2027, 1, 1))])
    assert [one.effective_to for one in settled] == [date(2025, 3, 31), date(2026, 12, 31), None]
    assert [(one.name, "it ends on 2026-12-31" in one.text) for one in notes] == [("d@2", True)]


def test_what_another_document_supersedes_ends_before_that_begins() -> None:
    new = version("1", date(2026, 7, 1), of="new", supersedes=("d",))
    assert ends(version("1", date(2025, 1, 1)), new) == {"d@1": date(2026, 6, 30), "new@1": None}


def test_what_begins_after_another_superseded_it_is_refused() -> None:
    new = version("1", date(2026, 7, 1), of="new", supersedes=("d",))
    settled, refused, _ = timeline.settle([version("2", date(2027, 1, 1)), new])
    assert [one.name for one in settled] == ["new@1"]
    assert "new@1 supersedes it from 2026-07-01 on" in refused[0].reason


def test_documents_that_supersede_each_other_follow_their_days() -> None:
    one = version("1", date(2025, 1, 1), of="one", supersedes=("two",))
    two = version("1", date(2026, 1, 1), of="two", supersedes=("one",))
    assert ends(one, two) == {"one@1": date(2025, 12, 31), "two@1": None}


@pytest.mark.parametrize("after", [date(2026, 6, 30), date(2025, 1, 1)])
def test_what_goes_live_or_ends_by_itself_is_told_with_its_day(after: date) -> None:
    settled, _, _ = timeline.settle([version("1", date(2025, 1, 1)), version("2", date(2026, 7, 1))])
    assert timeline.changes(settled, after) == [(date(2026, 7, 1), "d@1", "ends"), (date(2026, 7, 1), "d@2", "begins")]
