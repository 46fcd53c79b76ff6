"""What guardrails found and whether they were right, as operators and reviewers ask for it."""

import csv
import io
import json

import pytest

from assistant import commands
from assistant.desk import Desk
from opsplane import marking
from opsplane.access import Actor
from opsplane.days import Days
from opsplane.errors import InvalidRequest, NotFound, Refused
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from opsplane.finding import Action, Finding
from tests import fakes
from tests.opsplane.ledger.test_store import exchange

BOB = fakes.REVIEWER.model_copy(update={"id": "bob"})
FIGURE = Finding(code="grounding.figure", action=Action.WITHHOLD, stage="answer", span="$99", score=0.2, threshold=0.6)
ATTACK = Finding(code="injection.override", action=Action.DECLINE, stage="question", span="ignore all", score=0.97)


@pytest.fixture
def record_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/record.db"


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    """Three exchanges: a wrong figure, an attack, and one in which nothing was found."""
    wrong = Sentence(text="The fee is $99.", cites=(1,))
    for identity, findings in {"aaaaaaaa-1": [FIGURE], "bbbbbbbb-2": [ATTACK], "cccccccc-3": []}.items():
        await desk.ledger.received(exchange(identity))
        ended = exchange(
            identity, fakes.passage(), outcome=Outcome.ANSWERED, findings=tuple(findings), withheld=(wrong,)
        )
        await desk.ledger.answered(ended)
    return desk


async def run(text: str, desk: Desk, who: Actor = fakes.REVIEWER) -> str:
    return (await commands.run(text, who, desk)).text


async def test_each_check_is_counted_by_release_with_the_newest_exchange(desk: Desk) -> None:
    panel = await commands.run("/guardrails", fakes.OPERATOR, desk)
    assert "33.3% of 3" in panel.text.replace("\\", "")
    assert panel.download
    rows = list(csv.DictReader(io.StringIO(panel.download.content.decode("utf-8-sig"))))
    assert {(row["code"], row["exchanges"], row["newest"]) for row in rows} == {
        ("grounding.figure", "1", "aaaaaaaa-1"),
        ("injection.override", "1", "bbbbbbbb-2"),
    }


@pytest.mark.parametrize("narrowed", ["release=test-9", "since=2027-01-01", "until=2020-01-01"])
async def test_what_lies_outside_the_filter_is_not_counted(desk: Desk, narrowed: str) -> None:
    assert "either nobody asked" in await run(f"/guardrails {narrowed}", desk)


async def test_a_reviewer_sees_the_words_the_score_and_the_threshold(desk: Desk) -> None:
    text = (await run('/findings grounding reason="case 12"', desk)).replace("\\", "")
    for part in ("aaaaaaaa", "$99", "0.20 / 0.60", "What is the overdraft fee?"):
        assert part in text
    assert "bbbbbbbb" not in text


async def test_an_operator_sees_no_customers_words(desk: Desk) -> None:
    with pytest.raises(Refused):
        await run("/findings grounding", desk, fakes.OPERATOR)


async def test_a_mark_is_counted_and_the_last_one_of_a_reviewer_stands(desk: Desk) -> None:
    await run('/guardrails mark aaaaaaaa grounding.figure wrong comment="that fee is right"', desk)
    await run("/guardrails mark aaaaaaaa grounding.figure right", desk)
    await run("/guardrails mark aaaaaaaa grounding.figure wrong", desk, BOB)
    (found, _) = await marking.counted(desk.ledger, Days(), "", actor=fakes.OPERATOR)
    assert (found.code, found.right, found.wrong) == ("grounding.figure", 1, 1)


async def test_marks_become_rows_to_tune_thresholds_by(desk: Desk) -> None:
    await run("/guardrails mark aaaaaaaa grounding.figure right", desk)
    await run("/guardrails mark bbbbbbbb injection.override wrong", desk)
    rows = await marking.labelled(desk.ledger, actor=fakes.REVIEWER, why="tuning")
    claim, text = rows
    assert (claim["claim"], claim["label"]) == ("The fee is $99.", "bad")
    assert claim["evidence"] == [fakes.passage().text]
    assert (text["text"], text["label"]) == ("What is the overdraft fee?", "good")
    assert json.dumps(rows)


@pytest.mark.parametrize(
    ("typed", "kind", "told"),
    [
        ("/guardrails mark aaaaaaaa grounding.figure perhaps", InvalidRequest, "right or wrong"),
        ("/guardrails mark aaaaaaaa grounding.name right", NotFound, "It has: grounding.figure"),
        ("/guardrails mark dddddddd grounding.figure right", NotFound, "dddddddd"),
        ("/guardrails since=yesterday", InvalidRequest, "2026-11-01"),
        ("/guardrails nonsense", InvalidRequest, "neither a filter"),
        ("/guardrails colour=red", InvalidRequest, "colour=… is none of"),
        ('/findings reason="case 12"', InvalidRequest, "Which findings"),
    ],
)
async def test_bad_input_is_told_and_recorded(desk: Desk, typed: str, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        await run(typed, desk)
    assert len(desk.ledger.events(["command_refused"])) == 1


async def test_only_reviewers_mark(desk: Desk) -> None:
    with pytest.raises(Refused):
        await run("/guardrails mark aaaaaaaa grounding.figure right", desk, fakes.OPERATOR)
    with pytest.raises(Refused):
        await run("/guardrails", desk, fakes.CUSTOMER)


async def test_a_code_that_never_fired_has_an_empty_panel(desk: Desk) -> None:
    assert "No exchange has such a finding" in await run('/findings pii.card reason="case 12"', desk)
