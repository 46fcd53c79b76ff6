"""Hold and retention: who may, who must agree, and what beats what."""

from datetime import timedelta

import pytest

from opsplane import custody
from opsplane.custody_events import RetentionApplied, RetentionBegun
from opsplane.erasure import Custodian, protected
from opsplane.errors import Conflict, InvalidRequest, NotFound, Refused
from opsplane.events import CommandRun
from tests import fakes
from tests.opsplane.custodians import MAYA, approve, erase, hold, reject, talk, words

YEAR = timedelta(days=366)


async def test_the_commands_own_entry_holds_no_reason(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    await erase(custodian)
    (entry,) = custodian.ledger.events(["command_run"])
    assert entry.event == CommandRun(command="erase", arguments=MAYA)


@pytest.mark.parametrize("customer", ["C-9999", "Maya Okafor"])
async def test_a_customer_nobody_knows_is_refused_in_words_that_hold_no_name(
    custodian: Custodian, customer: str
) -> None:
    for deed in (hold, erase):
        with pytest.raises(NotFound, match=r"^Nothing on the record is of a customer of that id.$"):
            await deed(custodian, customer)


async def test_staff_are_not_erased(custodian: Custodian) -> None:
    await custodian.ledger.append(CommandRun(command="audit", arguments="x"), fakes.OPERATOR)
    with pytest.raises(InvalidRequest, match="staff"):
        await erase(custodian, "@operator")


async def test_a_reason_is_needed(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    with pytest.raises(InvalidRequest, match="Say why"):
        await custody.erase(custodian, MAYA, " ", actor=fakes.REVIEWER)
    with pytest.raises(InvalidRequest, match="Which customer"):
        await erase(custodian, "")


async def test_the_same_is_not_asked_twice(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    request = await erase(custodian)
    with pytest.raises(Conflict, match=f"asked for already: request {request.id}, by reviewer"):
        await erase(custodian)


async def test_a_hold_beats_an_erasure_and_says_since_when_and_by_whom(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    placed = await hold(custodian)
    with pytest.raises(
        Conflict, match=rf"under hold.*{placed.hold.id}, since 2026-11-23 17:00 UTC by reviewer, not conf"
    ):
        await erase(custodian)
    assert words(custodian.ledger) == "my divorce"


async def test_a_hold_is_confirmed_by_a_second_person(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    placed = await hold(custodian)
    with pytest.raises(Refused):
        await approve(custodian, placed.hold.id, fakes.REVIEWER)
    await approve(custodian, placed.hold.id, fakes.APPROVER)
    (one,) = protected(custodian.ledger).holds
    assert one.confirmed


async def test_a_hold_never_lapses_and_ends_only_by_another_person(custodian: Custodian, clock: fakes.Clock) -> None:
    await talk(custodian.ledger)
    placed = await hold(custodian)
    clock.at += 10 * YEAR
    with pytest.raises(Refused, match="another person decides"):
        await reject(custodian, placed.hold.id, fakes.REVIEWER)
    assert protected(custodian.ledger).holding(MAYA)
    await reject(custodian, placed.hold.id)
    assert not protected(custodian.ledger).holding(MAYA)


async def test_a_release_takes_effect_when_a_second_person_approves(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    placed = await hold(custodian)
    await approve(custodian, placed.hold.id)
    request = await custody.release_hold(custodian, MAYA, "settled", actor=fakes.REVIEWER)
    assert protected(custodian.ledger).holding(MAYA)
    await approve(custodian, request.id)
    assert not protected(custodian.ledger).holding(MAYA)
    assert words(custodian.ledger) == "my divorce"


async def test_an_unconfirmed_hold_is_rejected_and_not_released(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    placed = await hold(custodian)
    with pytest.raises(Conflict, match=f"/reject {placed.hold.id}"):
        await custody.release_hold(custodian, MAYA, "settled", actor=fakes.REVIEWER)


async def test_a_release_ends_only_the_hold_it_names(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    first, second = await hold(custodian), await hold(custodian)
    for placed in (first, second):
        await approve(custodian, placed.hold.id)
    with pytest.raises(Conflict, match="several holds"):
        await custody.release_hold(custodian, MAYA, "settled", actor=fakes.REVIEWER)
    request = await custody.release_hold(custodian, first.hold.id, "settled", actor=fakes.REVIEWER)
    await approve(custodian, request.id)
    assert [one.id for one in protected(custodian.ledger).holding(MAYA)] == [second.hold.id]


async def test_without_a_hold_nothing_is_released(custodian: Custodian) -> None:
    await talk(custodian.ledger)
    with pytest.raises(NotFound, match="No hold is in force"):
        await custody.release_hold(custodian, MAYA, "settled", actor=fakes.REVIEWER)


async def test_the_retention_is_seven_years_and_can_only_be_lengthened(custodian: Custodian) -> None:
    assert (await custody.retention_now(custodian, actor=fakes.REVIEWER)).years == 7
    for years in (7, 6, 0):
        with pytest.raises(Conflict, match="only be lengthened"):
            await custody.lengthen(custodian, years, "why", actor=fakes.REVIEWER)
    with pytest.raises(InvalidRequest, match="at most 50"):
        await custody.lengthen(custodian, 51, "why", actor=fakes.REVIEWER)
    request = await custody.lengthen(custodian, 10, "new rule", actor=fakes.REVIEWER)
    assert (await custody.retention_now(custodian, actor=fakes.REVIEWER)).years == 7
    await approve(custodian, request.id, fakes.APPROVER)
    assert (await custody.retention_now(custodian, actor=fakes.REVIEWER)).years == 10


async def test_what_is_past_the_retention_is_destroyed_month_by_month(custodian: Custodian, clock: fakes.Clock) -> None:
    await talk(custodian.ledger)
    clock.at = clock.at.replace(year=2033, month=11)
    assert custody.apply(custodian) == []
    clock.at = clock.at.replace(month=12, day=1)
    await talk(custodian.ledger, "exchange-0002", words="of today")
    (run,) = custody.apply(custodian)
    assert (run.before, run.years, run.exchanges, run.customers) == ("2026-12", 7, 1, 1)
    assert words(custodian.ledger) == "[erased]"
    young = custodian.ledger.exchange("exchange-0002")
    assert young is not None
    assert young.question == "of today"
    assert custody.apply(custodian) == []


async def test_a_hold_beats_the_retention(custodian: Custodian, clock: fakes.Clock) -> None:
    await talk(custodian.ledger)
    await talk(custodian.ledger, "exchange-0002", "C-1002")
    await custodian.ledger.append(CommandRun(command="help", arguments="held too"), fakes.CUSTOMER)
    placed = await hold(custodian)
    clock.at += 8 * YEAR
    assert custody.due(custodian).held == (MAYA,)
    (run,) = await custody.apply_now(custodian, actor=fakes.REVIEWER)
    assert run.held == 1
    assert words(custodian.ledger) == "my divorce"
    assert "held too" in str(custodian.ledger.events(["command_run"])[0].event)
    await reject(custodian, placed.hold.id)
    custody.apply(custodian)
    assert words(custodian.ledger) == "[erased]"


async def test_a_longer_retention_protects_as_soon_as_it_is_asked_for(custodian: Custodian, clock: fakes.Clock) -> None:
    await talk(custodian.ledger)
    clock.at += 8 * YEAR
    request = await custody.lengthen(custodian, 10, "new rule", actor=fakes.REVIEWER)
    assert MAYA not in custody.due(custodian).customers
    await reject(custodian, request.id)
    assert MAYA in custody.due(custodian).customers


async def test_a_retention_run_that_was_cut_off_is_ended_by_the_next(custodian: Custodian, clock: fakes.Clock) -> None:
    await talk(custodian.ledger)
    clock.at += 8 * YEAR
    (key,) = custodian.ledger.vault.keys_of(MAYA)
    begun = RetentionBegun(run="ab12", since="2026-11", before="2027-11", years=7, keys=(key.id,))
    await custodian.ledger.append(begun, fakes.REVIEWER)
    custodian.ledger.vault.destroy(MAYA, "2027-11")
    custody.resume(custodian)
    (entry,) = custodian.ledger.events(["retention_applied"])
    assert isinstance(entry.event, RetentionApplied)
    assert (entry.event.run, entry.event.keys, entry.event.exchanges) == ("ab12", (key.id,), 1)
