"""Commands as people type them: right, mistyped, or not theirs."""

import csv
import io

import pytest

from assistant import commands
from assistant.commands import COMMANDS, Desk
from opsplane import control
from opsplane.access import Actor, Role
from opsplane.errors import InvalidRequest, NotFound, Refused
from opsplane.events import CommandRefused, FeedbackGiven
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from tests import fakes
from tests.opsplane.ledger.test_store import exchange


@pytest.fixture
def record_url(tmp_path: object) -> str:
    return f"sqlite:///{tmp_path}/record.db"


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    plane = Plane(ledger)
    plane.configure({"test-1": fakes.release()}, "test-1")
    return Desk(plane, ledger)


@pytest.mark.parametrize("actor", [fakes.CUSTOMER, fakes.OPERATOR, fakes.APPROVER, fakes.REVIEWER])
async def test_help_lists_just_what_this_person_may_do(desk: Desk, actor: Actor) -> None:
    panel = await commands.run("/help", actor, desk)
    listed = {name for name in COMMANDS if f"/{name}" in panel.text}
    assert listed == {one.name for one in COMMANDS.values() if one.open_to(actor.role)}


async def test_status_names_the_stable_release(desk: Desk) -> None:
    panel = await commands.run("/status", fakes.OPERATOR, desk)
    assert fakes.release().digest[:12] in panel.text
    assert "No exchanges yet" in panel.text


async def test_a_release_is_shown_whole_and_can_be_downloaded_as_its_very_bytes(desk: Desk) -> None:
    panel = await commands.run("/release test-1", fakes.OPERATOR, desk)
    assert fakes.release().digest in panel.text
    assert fakes.release().prompt.system in panel.text
    assert panel.download
    assert panel.download.content == fakes.release().canonical()


async def test_releases_marks_the_stable_one(desk: Desk) -> None:
    panel = await commands.run("/releases", fakes.OPERATOR, desk)
    assert "| stable |" in panel.text


@pytest.mark.parametrize(("typed", "meant"), [("/satus", "/status"), ("/relase", "/release"), ("/STATUSS", "/status")])
async def test_a_mistyped_command_names_the_nearest(desk: Desk, typed: str, meant: str) -> None:
    with pytest.raises(NotFound, match=f"Did you mean {meant}"):
        await commands.run(typed, fakes.OPERATOR, desk)


async def test_a_suggestion_never_names_what_the_person_may_not_do(desk: Desk) -> None:
    with pytest.raises(NotFound) as caught:
        await commands.run("/audt", fakes.CUSTOMER, desk)
    assert "audit" not in str(caught.value)


async def test_capitals_and_spaces_do_not_matter(desk: Desk) -> None:
    assert await commands.run("  /STATUS  ", fakes.OPERATOR, desk)


@pytest.mark.parametrize("typed", ["/audit", "/exchange abcdef", "/status", "/releases", "/release"])
async def test_a_customer_is_refused_and_that_is_recorded(desk: Desk, typed: str) -> None:
    with pytest.raises(Refused):
        await commands.run(typed, fakes.CUSTOMER, desk)
    (entry,) = desk.ledger.events(["command_refused"])
    assert isinstance(entry.event, CommandRefused)
    assert entry.event.command == typed.split()[0][1:]


async def test_audit_shows_a_table_and_its_csv(desk: Desk) -> None:
    one = exchange(
        "exchange-0001", outcome=Outcome.ANSWERED, question="=HYPERLINK(1)|", sentences=(Sentence(text="<b>"),)
    )
    await desk.ledger.received(one)
    panel = await commands.run('/audit outcome=answered text="hyper"', fakes.REVIEWER, desk)
    assert "1 exchanges" in panel.text
    assert "\\|" in panel.text
    assert "<b>" not in panel.text
    assert panel.download
    (row,) = csv.DictReader(io.StringIO(panel.download.content.decode("utf-8-sig")))
    assert row["question"] == "'=HYPERLINK(1)|"


async def test_audit_without_a_match_says_so(desk: Desk) -> None:
    assert "No exchange fits" in (await commands.run("/audit customer=nobody", fakes.REVIEWER, desk)).text


async def test_the_csv_holds_every_match_and_the_table_one_page(desk: Desk) -> None:
    for number in range(25):
        await desk.ledger.received(exchange(f"exchange-{number:04}"))
    panel = await commands.run("/audit", fakes.REVIEWER, desk)
    assert "25 exchanges, page 1 of 2" in panel.text
    assert panel.download
    assert len(panel.download.content.decode().splitlines()) == 26


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("nonsense", "'nonsense' is not a filter. Filters: customer=…"),
        ("outcome=perhaps", "outcome=perhaps"),
        ("since=yesterday", "since=yesterday"),
        ("page=0", "page=0"),
        ('text="unclosed', "quotation mark is not closed"),
        ("size=99999999", "'size=99999999' is not a filter"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_named_and_recorded(desk: Desk, typed: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        await commands.run(f"/audit {typed}", fakes.REVIEWER, desk)
    assert desk.ledger.count(["command_refused"]) == 1


async def test_exchange_shows_everything_about_one_turn(desk: Desk) -> None:
    one = exchange("exchange-0001", fakes.passage(), sentences=(Sentence(text="The fee is $15.", cites=(1,)),))
    await desk.ledger.received(one)
    panel = await commands.run("/exchange exchange-0001", fakes.REVIEWER, desk)
    for part in ("C\\-1001", one.digest, "The fee is \\$15", "Fee Schedule", one.evidence[0].sha256[:12], "question"):
        assert part in panel.text
    assert panel.download
    assert panel.download.content == one.model_dump_json(indent=2).encode()


async def test_exchange_shows_the_customers_thumb_and_comment(desk: Desk) -> None:
    await desk.ledger.received(exchange("exchange-0001"))
    thumb = FeedbackGiven(exchange="exchange-0001", value=0, comment="not what I asked")
    await control.give_feedback(desk.ledger, thumb, actor=fakes.CUSTOMER)
    panel = await commands.run("/exchange exchange-0001", fakes.REVIEWER, desk)
    assert "| down | not what I asked |" in panel.text


async def test_exchange_wants_an_id(desk: Desk) -> None:
    with pytest.raises(InvalidRequest, match="Which exchange"):
        await commands.run("/exchange", fakes.REVIEWER, desk)


def test_every_command_of_a_role_is_open_to_it() -> None:
    assert {one.name for one in commands.for_role(Role.REVIEWER)} == {"help", "audit", "exchange"}
