"""Two answers without names: who may say which is better, how often, and what is told when."""

import pytest

from opsplane.access import Actor, Role
from opsplane.errors import Conflict, InvalidRequest, NotFound, Refused
from opsplane.evaluation_events import PreferenceGiven
from opsplane.events import CommandRun
from opsplane.ledger.store import Ledger
from opsplane.preference import LONGEST, Choice, Side, prefer, read_pair, turned
from tests import fakes
from tests.opsplane.ledger.test_store import exchange
from tests.opsplane.twice import NEW, SHADOWED, SHOWN, twice

BOB = fakes.REVIEWER.model_copy(update={"id": "bob"})
STRAIGHT = next(f"exchange-{n}" for n in range(99) if not turned(f"exchange-{n}"))
TURNED = next(f"exchange-{n}" for n in range(99) if turned(f"exchange-{n}"))


def given(ledger: Ledger) -> list[PreferenceGiven]:
    found = [entry.event for entry in ledger.events(["preference_given"])]
    return [event for event in found if isinstance(event, PreferenceGiven)]


def test_the_lot_falls_either_way_about_equally_often_and_always_the_same() -> None:
    lots = [turned(f"exchange-{number}") for number in range(4_000)]
    assert 1_850 <= sum(lots) <= 2_150
    assert lots == [turned(f"exchange-{number}") for number in range(4_000)]


@pytest.mark.parametrize(("identity", "first"), [(STRAIGHT, SHOWN), (TURNED, SHADOWED)])
async def test_answers_are_shown_in_the_order_of_the_lot_with_the_sources_they_cite(
    ledger: Ledger, identity: str, first: str
) -> None:
    await twice(ledger, identity)
    task = await read_pair(ledger, "", actor=fakes.REVIEWER, why="case 4711")
    assert task.blind
    said = [" ".join(one.text for one in side.sentences) for side in (task.blind.first, task.blind.second)]
    assert (said[0], set(said)) == (first, {SHOWN, SHADOWED})
    assert [len(side.sources) for side in (task.blind.first, task.blind.second)] == [1, 1]


async def test_nothing_that_is_shown_before_tells_which_release_it_was(ledger: Ledger) -> None:
    await twice(ledger, STRAIGHT)
    task = await read_pair(ledger, STRAIGHT, actor=fakes.REVIEWER, why="case 4711")
    for telling in ("test-1", "test-2", NEW.digest[:8], fakes.release().digest[:8], "shadow", "stable"):
        assert telling not in str(task)


@pytest.mark.parametrize(
    ("identity", "side", "better"),
    [
        (STRAIGHT, Side.A, "test-1"),
        (STRAIGHT, Side.B, "test-2"),
        (TURNED, Side.A, "test-2"),
        (TURNED, Side.B, "test-1"),
    ],
)
async def test_what_is_recorded_is_the_release_that_was_preferred(
    ledger: Ledger, identity: str, side: Side, better: str
) -> None:
    await twice(ledger, identity)
    told = await prefer(ledger, Choice(identity, side), actor=fakes.REVIEWER)
    (event,) = given(ledger)
    digests = {"first": event.first, "second": event.second}
    assert digests[event.preferred] == (NEW if better == "test-2" else fakes.release()).digest
    named = told.first if side is Side.A else told.second
    assert named.startswith(f"{better}@")
    assert (side is told.live) == (better == "test-1")


async def test_nobody_prefers_twice_unless_it_is_meant_but_several_people_may(ledger: Ledger) -> None:
    await twice(ledger, STRAIGHT)
    await prefer(ledger, Choice(STRAIGHT, Side.A), actor=fakes.REVIEWER)
    with pytest.raises(Conflict, match=r"You preferred A in .* Add again=yes"):
        await prefer(ledger, Choice(STRAIGHT, Side.B), actor=fakes.REVIEWER)
    await prefer(ledger, Choice(STRAIGHT, Side.TIE, again=True), actor=fakes.REVIEWER)
    await prefer(ledger, Choice(STRAIGHT, Side.B), actor=BOB)
    assert [event.preferred for event in given(ledger)] == ["first", "tie", "second"]


async def test_the_comment_is_masked_and_goes_with_the_customer(ledger: Ledger) -> None:
    await twice(ledger, STRAIGHT)
    await prefer(ledger, Choice(STRAIGHT, Side.A, "she wrote jane@example.com"), actor=fakes.REVIEWER)
    assert given(ledger)[0].comment == "she wrote [e-mail address]"
    ledger.vault.destroy("C-1001")
    assert (given(ledger)[0].comment, given(ledger)[0].preferred) == ("", "first")


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.OPERATOR, Role.APPROVER, Role.SERVICE])
async def test_only_reviewers_compare(ledger: Ledger, role: Role) -> None:
    await twice(ledger, STRAIGHT)
    somebody = Actor(id="somebody", role=role)
    with pytest.raises(Refused):
        await read_pair(ledger, "", actor=somebody, why="case 4711")
    with pytest.raises(Refused):
        await prefer(ledger, Choice(STRAIGHT, Side.A), actor=somebody)
    assert (ledger.count(["command_refused"]), given(ledger)) == (2, [])


async def test_looking_is_on_the_record_with_the_reason(ledger: Ledger) -> None:
    task = await read_pair(ledger, "", actor=fakes.REVIEWER, why="case 4711")
    assert (task.blind, task.waiting) == (None, 0)
    (entry,) = ledger.events(["command_run"])
    assert entry.event == CommandRun(command="prefer", arguments="", rows=0, why="case 4711")


async def test_what_is_no_pair_is_refused_in_words(ledger: Ledger) -> None:
    await ledger.received(exchange("alone-001"))
    await twice(ledger, "same-0001", SHOWN)
    for identity, error, words in (
        ("alone-001", NotFound, "Only one release answered"),
        ("same-0001", Conflict, "said the same"),
        ("unknown-1", NotFound, "There is no exchange"),
        ("Jane Doe", InvalidRequest, "no exchange's id"),
    ):
        with pytest.raises(error, match=words):
            await prefer(ledger, Choice(identity, Side.A), actor=fakes.REVIEWER)
    with pytest.raises(InvalidRequest, match="at most 2,000 characters"):
        await prefer(ledger, Choice("same-0001", Side.A, "x" * (LONGEST + 1)), actor=fakes.REVIEWER)
    assert given(ledger) == []
