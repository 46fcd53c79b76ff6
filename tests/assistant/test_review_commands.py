"""The reviewers' queue and the coverage report, as they type it."""

import csv
import io
import json
from dataclasses import replace

import pytest

from assistant import commands
from assistant.desk import Desk
from opsplane.access import Actor
from opsplane.errors import Conflict, InvalidRequest, Refused
from opsplane.events import CommandRefused, ExchangeReviewed, FeedbackGiven
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from opsplane.finding import Action, Finding
from opsplane.ledger import reviews
from opsplane.preference import Choice, Side, prefer, turned
from opsplane.review import Reason, Verdict
from tests import fakes
from tests.opsplane.ledger.test_store import exchange
from tests.opsplane.twice import NEW, register, twice

BOB = fakes.REVIEWER.model_copy(update={"id": "bob"})


@pytest.fixture
def record_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/record.db"


async def run(text: str, desk: Desk, who: Actor = fakes.REVIEWER) -> str:
    return (await commands.run(text, who, desk)).text


async def turn(desk: Desk, identity: str, *findings: Finding, thumb: int | None = None) -> None:
    said = (Sentence(text="The fee is $29.", cites=(1,)),)
    await desk.ledger.received(exchange(identity))
    await desk.ledger.answered(
        exchange(identity, fakes.passage(), outcome=Outcome.ANSWERED, sentences=said, findings=findings)
    )
    if thumb is not None:
        event = FeedbackGiven.model_validate({"exchange": identity, "value": thumb, "comment": "that is the old fee"})
        await desk.ledger.append(event, fakes.CUSTOMER, identity, "C-1001")


def reviewed(desk: Desk) -> list[ExchangeReviewed]:
    found = [entry.event for entry in desk.ledger.events(["exchange_reviewed"])]
    return [event for event in found if isinstance(event, ExchangeReviewed)]


PROMISE = Finding(code="compliance.promise", action=Action.WITHHOLD, stage="answer", span="will double")
FIGURE = Finding(code="grounding.figure", action=Action.WITHHOLD, stage="answer", span="$99")


async def test_the_next_one_comes_with_question_answer_findings_and_why_it_is_here(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1", FIGURE)
    await turn(desk, "bbbbbbbb-2", PROMISE)
    text = await run("/review", desk)
    wanted = ("bbbbbbbb", "What is the overdraft fee?", "The fee is \\$29\\.", "compliance\\.promise")
    for part in (*wanted, "zero\\_tolerance", "a promised or predicted return", "**Waiting:** 2", "1 flagged"):
        assert part in text


async def test_the_queue_can_be_asked_for_one_reason(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1", PROMISE)
    await turn(desk, "bbbbbbbb-2", thumb=0)
    text = await run("/review reason=thumbs_down", desk)
    assert "bbbbbbbb" in text
    assert "that is the old fee" in text
    assert "Nothing as flagged waits" in await run("/review reason=flagged", desk)


async def test_an_empty_queue_says_so(desk: Desk) -> None:
    assert "The queue is empty" in await run("/review", desk)


async def test_a_verdict_takes_it_out_of_the_queue(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1", thumb=0)
    text = await run('/review aaaaaaaa wrong score=20 comment="the old fee" corrected="The fee is $15."', desk)
    assert "on the record as **wrong**, score 20" in text
    assert "The queue is empty" in text
    (event,) = reviewed(desk)
    assert (event.reason, event.verdict, event.score) == (Reason.THUMBS_DOWN, Verdict.WRONG, 20)
    assert (event.comment, event.corrected) == ("the old fee", "The fee is $15.")


async def test_a_corrected_answer_may_take_many_lines(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1")
    await run('/review aaaaaaaa wrong comment="it isn\'t"\nIt isn\'t $29.\n\n- It is "$15".', desk)
    assert reviewed(desk)[0].corrected == 'It isn\'t $29.\n\n- It is "$15".'


async def test_personal_data_in_a_reviewers_words_is_masked(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1")
    await run('/review aaaaaaaa wrong comment="card 4111 1111 1111 1111"', desk)
    assert "4111 1111" not in reviewed(desk)[0].comment


async def test_what_a_reviewer_wrote_is_erased_with_the_customer(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1", thumb=0)
    await run('/review aaaaaaaa wrong comment="she is divorced" corrected="no"', desk)
    desk.ledger.vault.destroy("C-1001")
    assert (reviewed(desk)[0].comment, reviewed(desk)[0].corrected) == ("", "")
    assert reviewed(desk)[0].verdict is Verdict.WRONG
    told = " ".join(str(entry.event) for entry in desk.ledger.events(["command_run", "command_refused"]))
    assert "divorced" not in told


async def test_nobody_reviews_twice_by_accident(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1", thumb=0)
    await run("/review aaaaaaaa wrong", desk)
    with pytest.raises(Conflict, match=r"You judged aaaaaaaa as wrong .* Add again=yes to change"):
        await run("/review aaaaaaaa right", desk)
    with pytest.raises(Conflict, match=r"reviewer judged aaaaaaaa on 2026.* Add again=yes to give a second opinion"):
        await run("/review aaaaaaaa right", desk, BOB)
    assert len(reviewed(desk)) == 1


async def test_a_second_opinion_is_kept_and_shown(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1", thumb=0)
    await run("/review aaaaaaaa wrong", desk)
    await run('/review aaaaaaaa right again=yes comment="I disagree"', desk, BOB)
    text = await run("/review aaaaaaaa", desk)
    assert "I disagree" in text
    place = reviews.place(desk.ledger, "aaaaaaaa-1")
    assert place
    assert (place.verdict, place.reviewer) == ("wrong", "reviewer")


async def test_two_reviewers_are_not_given_the_same_one(desk: Desk, clock: fakes.Clock) -> None:
    await turn(desk, "aaaaaaaa-1", thumb=0)
    await turn(desk, "bbbbbbbb-2", thumb=0)
    assert "aaaaaaaa" in await run("/review", desk)
    assert "bbbbbbbb" in await run("/review", desk, BOB)
    assert "aaaaaaaa" in await run("/review", desk)
    with pytest.raises(Conflict, match="reviewer is looking at aaaaaaaa"):
        await run("/review aaaaaaaa right", desk, BOB)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("aaaaaaaa perhaps", "verdict=perhaps: must be one of right, wrong, unsure"),
        ("aaaaaaaa wrong score=101", "score=101: a score is a whole number from 0 to 100"),
        ("aaaaaaaa wrong score=-1", "score=-1"),
        ("aaaaaaaa wrong because it is", "stands in quotation marks"),
        ("aaaaaaaa wrong accuracy=0", r"accuracy=0: a mark is a whole number from 1 \(.* to 5 \("),
        ("aaaaaaaa wrong accuracy=6", "accuracy=6: a mark is"),
        ("aaaaaaaa wrong clarity=good", "clarity=good: a mark is"),
        ("aaaaaaaa wrong tone=5", "tone=… is none of: .*accuracy, completeness, relevance, clarity, compliance"),
        ("aaaaaaaa accuracy=5", "What is right"),
        ("again=maybe", "again=maybe: must be yes or no"),
        ("aaaaaaaa wrong coment=x", "coment=… is none of"),
        ("aaaaaaaa wrong corrected=x\ny", "Give the corrected answer once"),
        ("aaaaaaaa right corrected=x", "goes with `wrong` or `unsure`"),
        ("aaaaaaaa wrong again=maybe", "again=maybe: must be yes or no"),
        ("aaaaaaaa\nThe right answer", "What is right, wrong or unsure?"),
    ],
)
async def test_what_cannot_be_read_is_named_and_recorded(desk: Desk, typed: str, message: str) -> None:
    await turn(desk, "aaaaaaaa-1")
    with pytest.raises(InvalidRequest, match=message):
        await run(f"/review {typed}", desk)
    (entry,) = desk.ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
    assert reviewed(desk) == []


async def test_coverage_tells_shares_people_and_agreement(desk: Desk) -> None:
    for number in range(4):
        await turn(desk, f"aaaaaaa{number}-1", thumb=0)
    await run("/review aaaaaaa0 wrong", desk)
    await run("/review aaaaaaa1 right", desk)
    await run("/review aaaaaaa1 right again=yes", desk, BOB)
    panel = await commands.run("/coverage since=2026-11-23 until=2026-11-23", fakes.REVIEWER, desk)
    shares = ("| all | 4 | 2 | 50\\.0% |", "| thumbs\\_down | 4 | 2 | 50\\.0% |", "| answered | 4 | 2 |")
    for part in (*shares, "| reviewer | 2 | 1 | 1 | 0 |", "| bob | 1 | 1 | 0 | 0 |", "1 of 1 pairs"):
        assert part in panel.text
    assert panel.download
    rows = list(csv.reader(io.StringIO(panel.download.content.decode("utf-8-sig"))))
    assert ["reason", "thumbs_down", "4", "2", "", "", ""] in rows


async def test_coverage_of_nothing_says_so(desk: Desk) -> None:
    assert "There are no exchanges of all days" in (await run("/coverage", desk)).replace("\\", "")
    await turn(desk, "aaaaaaaa-1")
    assert "no exchanges until 2020" in await run("/coverage until=2020-01-01", desk)
    text = await run("/coverage", desk)
    assert "Nobody has reviewed anything yet" in text
    assert "no exchange was judged by two" in text


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("since=then", "since=then: must be a day"),
        ("all", "'all' is not a filter"),
        ("customer=C-1", "'customer' is not"),
        ("since=2026-02-01 until=2026-01-01", "is before since"),
    ],
)
async def test_days_that_cannot_be_read_are_named(desk: Desk, typed: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        await run(f"/coverage {typed}", desk)


async def test_marks_go_on_the_record_and_make_a_score_where_none_is_given(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1")
    text = await run("/review aaaaaaaa wrong accuracy=2 completeness=4 clarity=5\nThe fee is $15.", desk)
    assert "score 67 (accuracy 2, completeness 4, clarity 5)" in text.replace("\\", "")
    await run("/review aaaaaaaa wrong accuracy=2 score=10 again=yes", desk)
    first, second = reviewed(desk)
    assert (first.score, first.marks) == (67, {"accuracy": 2, "completeness": 4, "clarity": 5})
    assert (second.score, second.marks) == (10, {"accuracy": 2})


async def test_the_rubric_stands_below_the_answer(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1", thumb=0)
    text = await run("/review", desk)
    assert "/review aaaaaaaa wrong accuracy=2 completeness=4" in text
    for part in ("| accuracy | Is everything", "**Marks** (rubric 1)", "A statement that the customer would act on is"):
        assert part in text


async def test_a_second_opinion_is_given_without_knowing_the_first(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1", thumb=0)
    await run('/review aaaaaaaa wrong comment="an old figure"', desk)
    text = await run("/review again=yes", desk, BOB)
    assert "aaaaaaaa" in text
    assert "Somebody judged it before" in text
    assert "an old figure" not in text
    await run("/review aaaaaaaa right again=yes", desk, BOB)
    assert "an old figure" in await run("/review aaaaaaaa", desk, BOB)
    assert "Nothing for a second opinion waits" in await run("/review again=yes", desk, BOB)


async def test_coverage_tells_agreement_beyond_chance_and_which_release_is_preferred(desk: Desk) -> None:
    register(desk.ledger)
    for number in range(3):
        await twice(desk.ledger, f"aaaaaaa{number}-1")
        for who in (fakes.REVIEWER, BOB):
            verdict = "right" if number else "wrong"
            await run(f"/review aaaaaaa{number} {verdict} clarity={number + 2} again=yes", desk, who)
        better = Side.B if ordered_new_second(number) else Side.A
        await prefer(desk.ledger, Choice(f"aaaaaaa{number}-1", better), actor=fakes.REVIEWER)
    panel = await commands.run("/coverage", fakes.REVIEWER, desk)
    text = panel.text.replace("\\", "")
    for part in (
        "| verdict | 3 | 1.00 (",
        "| clarity | 3 | 1.00 (",
        "| bob | reviewer | 3 | 1.00 (",
        "| 3 | 0 | 0 | 100.0% (",
    ):
        assert part in text
    assert f"| test-2@{NEW.digest[:12]} | test-1@" in text
    assert panel.download
    assert b'kappa,"bob, reviewer",3,,1.0' in panel.download.content


def ordered_new_second(number: int) -> bool:
    """Whether the shadow's answer, which is the new release's, is shown second."""
    return not turned(f"aaaaaaa{number}-1")


async def test_corrected_answers_are_listed_and_handed_over_whole(desk: Desk) -> None:
    await turn(desk, "aaaaaaaa-1", thumb=0)
    await turn(desk, "bbbbbbbb-2", thumb=0)
    await run("/review aaaaaaaa wrong accuracy=1\nThe fee is $15.", desk)
    await run("/review bbbbbbbb wrong", desk)
    panel = await commands.run("/corrections since=2026-11-23", fakes.REVIEWER, desk)
    assert "Corrected answers since 2026\\-11\\-23: 1." in panel.text
    assert "The fee is \\$15\\." in panel.text
    assert not panel.kept
    assert panel.download
    (row,) = [json.loads(line) for line in panel.download.content.splitlines()]
    assert (row["question"], row["answer"], row["corrected"]) == (
        "What is the overdraft fee?",
        "The fee is $29.",
        "The fee is $15.",
    )
    assert (row["marks"], row["sources"][0]["text"]) == ({"accuracy": 1}, "The fee is $15 for each item.")
    assert "customer" not in row


async def test_where_nothing_was_corrected_it_says_how_to(desk: Desk) -> None:
    panel = await commands.run("/corrections until=2020-01-01", fakes.REVIEWER, desk)
    assert "There are no corrected answers until 2020" in panel.text.replace("\\", "")
    assert panel.download is None
    with pytest.raises(InvalidRequest, match="since=then: must be a day"):
        await run("/corrections since=then", desk)


async def test_corrections_are_read_for_a_reason_and_by_reviewers_only(desk: Desk) -> None:
    with pytest.raises(InvalidRequest, match="needs a reason"):
        await run("/corrections", replace(desk, why=""))
    with pytest.raises(Refused):
        await run("/corrections", desk, fakes.OPERATOR)
