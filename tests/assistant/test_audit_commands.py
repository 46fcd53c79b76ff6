"""Searching and reconstructing, as reviewers type it."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from assistant import audit_commands, audit_panels, commands
from assistant.desk import Desk
from assistant.panels import Panel
from opsplane import control
from opsplane.errors import InvalidRequest, NotFound
from opsplane.events import CommandRefused, CommandRun, ExchangeReviewed, FeedbackGiven, RecordExported
from opsplane.evidence import Sentence
from opsplane.exchange import Exchange, Outcome
from opsplane.finding import Action, Finding
from opsplane.ledger import checkpoint
from opsplane.ledger.audit import AuditPage, AuditRow
from opsplane.ledger.database import transaction
from opsplane.review import Reason, Verdict
from opsplane.spend import Cost, Purpose, Usage
from tests import fakes
from tests.opsplane.ledger.test_store import exchange


@pytest.fixture
def record_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/record.db"


async def run(text: str, desk: Desk) -> Panel:
    return await commands.run(text, fakes.REVIEWER, desk)


def rows(panel: Panel) -> list[dict[str, str]]:
    assert panel.download
    return list(csv.DictReader(io.StringIO(panel.download.content.decode("utf-8-sig"))))


async def test_audit_shows_a_table_and_its_csv(desk: Desk) -> None:
    one = exchange(
        "exchange-0001", outcome=Outcome.ANSWERED, question="=HYPERLINK(1)|", sentences=(Sentence(text="<b>"),)
    )
    await desk.ledger.received(one)
    panel = await run('/audit outcome=answered text="hyperlink"', desk)
    assert "1 exchanges" in panel.text
    assert "\\|" in panel.text
    assert "<b>" not in panel.text
    assert rows(panel)[0]["question"] == "'=HYPERLINK(1)|"


async def test_audit_without_a_match_says_so(desk: Desk) -> None:
    assert "No exchange fits" in (await run("/audit customer=nobody", desk)).text
    assert "No exchange fits" in (await run("/audit", desk)).text


async def test_the_csv_holds_every_match_and_the_table_one_page(desk: Desk) -> None:
    for number in range(25):
        await desk.ledger.received(exchange(f"exchange-{number:04}"))
    panel = await run("/audit", desk)
    assert "25 exchanges, page 1 of 2" in panel.text
    assert len(rows(panel)) == 25
    read = [entry.event for entry in desk.ledger.events(["command_run"])]
    assert [run.rows for run in read if isinstance(run, CommandRun)] == [25]


async def test_the_next_page_is_a_command_that_keeps_every_filter(desk: Desk) -> None:
    for number in range(45):
        await desk.ledger.received(exchange(f"exchange-{number:04}", question="`overdraft` fee, please"))
    command = '/audit outcome=received customer=C-1001 text="overdraft fee"'
    seen = []
    for page in (1, 2, 3):
        panel = await run(command, desk)
        assert f"page {page} of 3" in panel.text
        seen += [line.split("|")[1] for line in panel.text.splitlines() if line.startswith("| exchange")]
        command = panel.text.partition("Next page: `")[2].partition("`")[0]
    assert len(seen) == 45
    assert not command
    assert "No such page" in (await run("/audit outcome=received page=9", desk)).text


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("nonsense", "'nonsense' is not a filter. Filters: customer=…"),
        ("outcome=perhaps", "outcome=perhaps: must be one of received, answered"),
        ("since=yesterday", "since=yesterday: must be a day like"),
        ("page=0", "page=0: must be a whole number from 1"),
        ("route=slow", "route=slow: must be one of flash, pro"),
        ("rating=5", "rating=5: must be up or down"),
        ("reviewed=perhaps", "reviewed=perhaps: must be yes or no"),
        ("cost=cheap", "cost=cheap: must be a range like 0.01-0.05"),
        ("score=high", "score=high: must be a range"),
        ('text="!?"', "no word or figure in it"),
        ("csv=some", "csv=some: the only value is `all`"),
        ('text="unclosed', "quotation mark is not closed"),
        ("outcome=failed outcome=answered", "outcome=… is given twice"),
        ("size=99999999", "'size' is not a filter"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_named_and_recorded(desk: Desk, typed: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        await run(f"/audit {typed}", desk)
    assert desk.ledger.count(["command_refused"]) == 1


async def test_what_was_typed_is_not_quoted_where_it_stays_readable(desk: Desk) -> None:
    with pytest.raises(InvalidRequest):
        await run("/audit customer=C-1001 Jane Doe", desk)
    (entry,) = desk.ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
    assert entry.event.reason == "The filters could not be read."


async def test_any_filters_go_together(desk: Desk) -> None:
    await desk.ledger.received(exchange("exchange-0001"))
    await desk.ledger.answered(full("exchange-0001"))
    await desk.ledger.append(
        FeedbackGiven(exchange="exchange-0001", value=0), fakes.CUSTOMER, "exchange-0001", "C-1001"
    )
    common = "customer=C-1001 since=2026-11-23 until=2026-11-23 outcome=answered rule=compliance release=test-1"
    fits = f"/audit {common} cost=0.001-0.002 rating=down reviewed=no text='\"overdraft fee\" what'"
    assert "1 exchanges" in (await run(fits, desk)).text
    for other in ("cost=0.002-", "rating=up", "reviewed=yes", "route=pro", "score=50-", "model=other"):
        name = other.partition("=")[0]
        rest = " ".join(part for part in fits.split(" ") if not part.startswith(f"{name}="))
        assert "No exchange fits" in (await run(f"{rest} {other}", desk)).text


def test_a_count_that_was_capped_says_so() -> None:
    row = AuditRow("e" * 8, fakes.NOON, "C-1", Outcome.ANSWERED, "", "r", "", "", 0, 0, None, None, "q", "a")
    page = AuditPage((row,), 10_000, 1, 20, more=True)
    text = audit_panels.audit(page, "page=2", [row]).text
    assert "More than 10,000 exchanges" in text
    assert "/export" in text


def full(identity: str = "exchange-0001") -> Exchange:
    long = "The fee is $15 for each item. " * 200
    return exchange(
        identity,
        fakes.passage(1),
        fakes.passage(2, long),
        outcome=Outcome.ANSWERED,
        sentences=(Sentence(text="The fee is $15.", cites=(1,)),),
        withheld=(Sentence(text="You will surely profit.", cites=(2,)),),
        findings=(
            Finding(
                code="compliance.promise",
                action=Action.WITHHOLD,
                stage="answer",
                span="surely profit",
                score=0.9,
                threshold=0.5,
            ),
        ),
        costs=(Cost(purpose=Purpose.ANSWER, model="m-1", usage=Usage(input=10, output=5), micros=1_234, prices="t"),),
        cost_micros=1_234,
    )


async def test_exchange_shows_everything_about_one_turn(desk: Desk) -> None:
    one = full()
    await desk.ledger.received(exchange("exchange-0001"))
    await desk.ledger.answered(one)
    text = (await run("/exchange exchange-0001", desk)).text
    facts = ("C\\-1001", one.digest, "The fee is \\$15\\.", "Fee Schedule", one.evidence[0].sha256, "2026\\-07\\-01")
    withheld = ("You will surely profit\\.", "compliance\\.promise", "0\\.90 against 0\\.5")
    history = ("registered", "promoted", "configured at start", f"/release {one.digest[:12]}")
    money = ("$0.001234", "m\\-1", "answer", "question\\_received", "question\\_answered")
    for part in (*facts, *withheld, *history, *money):
        assert part in text


async def test_a_long_passage_is_cut_in_the_panel_and_whole_in_the_file(desk: Desk) -> None:
    one = full()
    await desk.ledger.received(exchange("exchange-0001"))
    await desk.ledger.answered(one)
    panel = await run("/exchange exchange-0001", desk)
    assert f"{len(one.evidence[1].text) - audit_panels.WHOLE:,} more characters in the file" in panel.text
    assert panel.download
    told = json.loads(panel.download.content)
    assert [source["text"] for source in told["evidence"]] == [source.text for source in one.evidence]
    assert [event["event"]["kind"] for event in told["events"]] == ["question_received", "question_answered"]
    assert all(event["entry"] > 0 for event in told["events"])
    assert {fact["event"]["kind"] for fact in told["release_history"]} == {"release_registered", "release_promoted"}


async def test_exchange_shows_the_customers_thumb_and_the_reviews(desk: Desk) -> None:
    await desk.ledger.received(exchange("exchange-0001"))
    thumb = FeedbackGiven(exchange="exchange-0001", value=0, comment="not what I asked")
    await control.give_feedback(desk.ledger, thumb, actor=fakes.CUSTOMER)
    review = ExchangeReviewed(
        exchange="exchange-0001", reason=Reason.THUMBS_DOWN, verdict=Verdict.WRONG, score=20, corrected="It is $29."
    )
    await desk.ledger.append(review, fakes.REVIEWER, "exchange-0001", "C-1001")
    text = (await run("/exchange exchange-0001", desk)).text
    assert "| down | not what I asked |" in text
    assert "| wrong | 20 |  |  | It is \\$29\\. |" in text


async def test_an_erased_exchange_is_shown_as_erased(desk: Desk) -> None:
    await desk.ledger.received(exchange("exchange-0001", question="my secret"))
    await desk.ledger.answered(full())
    desk.ledger.vault.destroy("C-1001")
    panel = await run("/exchange exchange-0001", desk)
    assert "erased" in panel.text
    assert panel.download
    for words in ("my secret", "The fee is $15 for", "surely profit"):
        assert words not in panel.text.replace("\\", "")
        assert words.encode() not in panel.download.content
    assert "$0.001234" in panel.text


async def test_exchange_wants_an_id_that_exists(desk: Desk) -> None:
    with pytest.raises(InvalidRequest, match="Which exchange"):
        await run("/exchange", desk)
    with pytest.raises(NotFound, match="no exchange"):
        await run("/exchange 00000000", desk)


def test_a_command_with_backticks_can_still_be_copied() -> None:
    assert audit_panels.code("/audit text=a`b") == "`` /audit text=a`b ``"


def test_every_filter_of_a_query_can_be_typed() -> None:
    assert {"customer", "since", "until", "outcome", "rule", "release", "text", "page"} <= set(audit_commands.FILTERS)


def verdict(folder: Path) -> tuple[int, bool]:
    """Exit code of an export's own verifier, and whether it calls the copy valid."""
    done = subprocess.run([sys.executable, "verify.py", "."], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, "VALID" in done.stdout.split()


async def test_an_export_is_a_zip_that_verifies_by_itself(desk: Desk, tmp_path: Path) -> None:
    checkpoint.introduce(desk.ledger, desk.notary)
    await desk.ledger.received(exchange("exchange-0001"))
    await desk.ledger.answered(full())
    await desk.ledger.received(exchange("exchange-0002", customer="C-1002"))
    panel = await run("/export customer=C-1001", desk)
    assert panel.download
    with zipfile.ZipFile(io.BytesIO(panel.download.content)) as archive:
        archive.extractall(tmp_path / "copy")
    (folder,) = (tmp_path / "copy").iterdir()
    assert verdict(folder) == (0, True)
    assert (folder / "proofs.jsonl").read_text()
    (entry,) = desk.ledger.events(["record_exported"])
    assert isinstance(entry.event, RecordExported)
    assert (entry.event.exchanges, entry.event.complete) == (1, False)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Name at least one filter"),
        ("customer=nobody", "nothing to export"),
        ("folder=x", "'folder' is not a filter"),
        ("exchange=abc", "at least 6"),
    ],
)
async def test_an_export_of_nothing_is_refused_in_words(desk: Desk, typed: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        await run(f"/export {typed}", desk)
    assert desk.ledger.count(["record_exported"]) == 0
    assert desk.ledger.count(["command_refused"]) == 1


@pytest.mark.parametrize("typed", ["/verify", "/verify full"])
async def test_verify_tells_that_the_record_is_sound_and_is_recorded(desk: Desk, typed: str) -> None:
    checkpoint.introduce(desk.ledger, desk.notary)
    await desk.ledger.received(exchange("exchange-0001"))
    checkpoint.make(desk.ledger, desk.notary)
    assert "The record is sound" in (await run(typed, desk)).text
    assert desk.ledger.count(["record_verified"]) == 1


async def test_verify_finds_a_changed_byte(desk: Desk) -> None:
    checkpoint.introduce(desk.ledger, desk.notary)
    await desk.ledger.received(exchange("exchange-0001"))
    with transaction(desk.ledger.engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER entry_no_update")
        connection.exec_driver_sql("UPDATE entry SET actor = 'nobody' WHERE exchange = 'exchange-0001'")
    assert "violations" in (await run("/verify", desk)).text


async def test_verify_takes_nothing_but_full(desk: Desk) -> None:
    with pytest.raises(InvalidRequest, match="/verify full"):
        await run("/verify everything", desk)
