"""Documents as people look after them: looked up, withdrawn, reinstated, dropped into a chat and published by two."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from assistant import commands, document_panels
from assistant.bootstrap import App
from assistant.desk import Desk
from assistant.staging import Staging
from knowledge import embedding
from opsplane.errors import Conflict, InvalidRequest, NotFound, PlaneError, Refused
from opsplane.policy import Approvals, Policy
from opsplane.rollouts.watcher import Watcher
from tests import fakes
from tests.assistant.librarian import OTHER, TALK, Librarian, fees
from tests.assistant.test_chat import send
from tests.library import MODELS


@pytest.fixture
def record_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/record.db"


# looking up


async def test_documents_tell_what_is_in_force_and_what_has_ended(librarian: Librarian) -> None:
    panel = await librarian.say("/documents", fakes.REVIEWER)
    assert "2 in force, 1 ended long ago" in panel.text
    assert (
        "| fees@2 | Fee Schedule | fees | customer | since 2026-07-01 | pricing@wrenfield.example | 1 |" in panel.text
    )
    assert "fees@1" not in panel.text
    assert panel.download
    rows = list(csv.DictReader(io.StringIO(panel.download.content.decode("utf-8-sig"))))
    assert {row["id"] + "@" + row["version"]: row["standing"] for row in rows} == {
        "fees@1": "ended long ago",
        "fees@2": "in force",
        "waivers@1": "in force",
    }


async def test_a_day_is_judged_by_the_present_library(librarian: Librarian) -> None:
    panel = await librarian.say("/documents fees as-of=2026-03-03")
    assert "Documents on 2026-03-03" in panel.text
    assert "| fees@1 | Fee Schedule | fees | customer | since 2025-01-01 until 2026-06-30 |" in panel.text
    assert "**Waits for its day**" in panel.text


async def test_what_was_served_on_a_day_stays_what_it_was(librarian: Librarian, clock: fakes.Clock) -> None:
    await librarian.agree(await librarian.staged({"fees-3.md": fees("3", "2026-11-10", "$12")}))
    before = await librarian.say("/documents at=2026-11-12")
    assert "fees@2 " in before.text
    assert "fees@3" not in before.text
    now = await librarian.say("/documents at=2026-11-12 as-of=2026-11-12")
    assert now.text == before.text
    today = await librarian.say("/documents at=2026-11-23")
    assert "| fees@3 |" in today.text
    assert "Earlier on that day answers came from g00001" in today.text


async def test_what_was_withdrawn_on_a_day_is_told_for_that_day(librarian: Librarian, clock: fakes.Clock) -> None:
    await librarian.say('/withdraw fees reason="wrong"')
    await librarian.say("yes")
    clock.at += timedelta(days=2)
    assert "1 withdrawn" not in (await librarian.say("/documents at=2026-11-22")).text
    assert "2 withdrawn" in (await librarian.say("/documents at=2026-11-24")).text


@pytest.mark.parametrize(
    ("typed", "refusal", "words"),
    [
        ("/documents at=2027-01-01", InvalidRequest, "lies ahead"),
        ("/documents at=2026-11-01", NotFound, "served from 2026-11-03 on"),
        ("/documents as-of=tomorrow", InvalidRequest, "written like 2026-03-03"),
        ("/documents on=2026-01-01", InvalidRequest, "not known here"),
    ],
)
async def test_a_day_that_cannot_be_told_is_refused(
    librarian: Librarian, typed: str, refusal: type[PlaneError], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        await librarian.say(typed)
    assert librarian.desk.ledger.count(["command_refused"]) == 1


async def test_where_no_document_matches_the_panel_says_so(librarian: Librarian) -> None:
    assert "There is no document with 'zebra'" in (await librarian.say("/documents zebra")).text


async def test_a_long_list_is_cut_and_whole_in_the_file(librarian: Librarian) -> None:
    for number in range(document_panels.SHOWN + 5):
        (librarian.settings.corpus / f"note-{number}.md").write_text(f"# Note {number}\nThe code is {number}77.\n")
    librarian.bring_up_to_date()
    panel = await librarian.say("/documents note")
    assert "5 more are in the file" in panel.text
    assert panel.download
    assert panel.download.content.count(b"in force,note-") == document_panels.SHOWN + 5


async def test_conflicts_between_documents_in_force_are_told_with_their_owners(librarian: Librarian) -> None:
    assert "No two of the 2 documents in force disagree" in (await librarian.say("/conflicts")).text
    text = fees("1", "2026-08-01", "$35").replace("id: fees", "id: prices")
    (librarian.settings.corpus / "prices.md").write_text(text)
    librarian.bring_up_to_date()
    panel = await librarian.say("/conflicts", fakes.REVIEWER)
    assert "prices@1: The overdraft fee is $35" in panel.text
    assert "pricing@wrenfield.example" in panel.text
    await librarian.say("/withdraw prices reason=wrong")
    await librarian.say("yes")
    assert "disagree" in (await librarian.say("/conflicts")).text


@pytest.mark.parametrize(
    "typed", ["/documents", "/conflicts", "/ingest reason=x", "/withdraw fees reason=x", "/reinstate fees"]
)
async def test_a_customer_is_refused_and_that_is_recorded(librarian: Librarian, typed: str) -> None:
    with pytest.raises(Refused):
        await librarian.say(typed, fakes.CUSTOMER)
    assert librarian.desk.ledger.count(["command_refused"]) == 1


# withdrawing


async def test_a_document_is_withdrawn_by_one_person_after_a_yes(librarian: Librarian) -> None:
    told = await librarian.say('/withdraw FEES@2 reason="a misprint"', fakes.REVIEWER)
    assert "Nobody is answered from fees@2 any more" in told.text
    assert librarian.desk.plane.state.withdrawn == frozenset()
    assert "**fees@2**" in (await librarian.say("yes", fakes.REVIEWER)).text
    held = librarian.desk.plane.state.withheld["fees@2"]
    assert (held.by.id, held.reason) == ("reviewer", "a misprint")
    listed = await librarian.say("/documents")
    assert "| fees@2 | Fee Schedule | 2026-11-23 17:00:00 | reviewer | a misprint |" in listed.text


@pytest.mark.parametrize(
    ("typed", "refusal", "words"),
    [
        ("/withdraw feas@2 reason=x", NotFound, "Did you mean fees@2"),
        ("/withdraw reason=x", InvalidRequest, "Which document"),
        ("/withdraw fees@2", InvalidRequest, "Say why"),
        ("/reinstate fees@2 reason=x", NotFound, "Nothing is withdrawn"),
    ],
)
async def test_what_cannot_be_withdrawn_is_told(
    librarian: Librarian, typed: str, refusal: type[PlaneError], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        await librarian.say(typed)


async def test_what_is_withdrawn_already_is_told_by_whom(librarian: Librarian) -> None:
    await librarian.say("/withdraw fees reason=wrong")
    await librarian.say("yes")
    for name in ("fees", "fees@2"):
        with pytest.raises(Conflict, match="withdrawn already, by operator: wrong"):
            await librarian.say(f"/withdraw {name} reason=again")
    with pytest.raises(Conflict, match="in every version"):
        await librarian.say("/reinstate fees@2 reason=x")


async def test_to_answer_from_it_again_takes_a_second_person(librarian: Librarian) -> None:
    await librarian.say("/withdraw fees@2 reason=wrong")
    await librarian.say("yes")
    await librarian.say('/reinstate fees@2 reason="it was right"', fakes.REVIEWER)
    asked = await librarian.say("yes", fakes.REVIEWER)
    request = librarian.request()
    assert f"/approve {request}" in asked.text
    assert "fees@2" in librarian.desk.plane.state.withdrawn
    done = await librarian.agree(request)
    assert "answered from fees@2 again" in done.text
    assert librarian.desk.plane.state.withdrawn == frozenset()
    event = librarian.desk.ledger.events(["document_reinstated"])[-1].event
    assert (event.request, event.approved_by) == (request, "operator2")  # type: ignore[union-attr]


async def test_a_reinstatement_is_void_once_it_was_withdrawn_anew(librarian: Librarian) -> None:
    helm = librarian.desk.watcher.helm
    policy = Policy(version=1, approve=Approvals(reinstate=False))
    alone_ = replace(librarian, desk=replace(librarian.desk, watcher=Watcher(replace(helm, policy=policy))))
    await librarian.say("/withdraw fees@2 reason=wrong")
    await librarian.say("yes")
    await librarian.say("/reinstate fees@2 reason=right")
    await librarian.say("yes")
    request = librarian.request()
    await alone_.say("/reinstate fees@2 reason=mine")
    assert "Reinstated" in (await alone_.say("yes")).text
    with pytest.raises(Conflict, match="Void"):
        await librarian.say(f"/approve {request}", OTHER)


async def test_a_withdrawn_document_is_not_retrieved_on_the_next_turn(app: App) -> None:
    desk = replace(app.desk, documents=Staging(app.settings, lambda: embedding.load(MODELS)))
    staffed = replace(app, desk=desk)
    question = "How much is the overdraft fee?"
    before = (await send(staffed, question)).exchanges[0]
    (name,) = {f"{one.document}@{one.version}" for one in before.evidence[:1]}
    seen = await send(staffed, f"/withdraw {name} reason=misprint", "yes", name="operator")
    assert "Withdrawn" in seen.text
    try:
        after = (await send(staffed, question)).exchanges[0]
        assert name not in {f"{one.document}@{one.version}" for one in after.evidence}
        assert after.evidence
    finally:
        await send(staffed, f"/reinstate {name} reason=right", "yes", name="operator")
        request = str(app.desk.ledger.events(["request_made"])[-1].event.request)  # type: ignore[union-attr]
        await send(staffed, f"/approve {request}", "yes", name="approver")
    assert (await send(staffed, question)).exchanges[0].evidence == before.evidence


async def test_without_a_library_the_commands_say_so(desk: Desk) -> None:
    for typed in ("/documents", "/conflicts", "/withdraw fees reason=x", "/ingest reason=x"):
        with pytest.raises(Conflict, match="no library"):
            await commands.run(typed, fakes.OPERATOR, desk, talk=TALK)
