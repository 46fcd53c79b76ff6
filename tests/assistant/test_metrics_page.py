"""Figures for Prometheus, read back with Prometheus's own parser: right, few, and without a word of customers."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from assistant import metrics_page
from assistant.metrics_page import MetricsPage
from opsplane.access import SERVICE
from opsplane.control_events import AlertRaised
from opsplane.evaluation_events import ExchangeScored, ExchangeUnscored, JudgeCalibrated
from opsplane.events import CostBooked
from opsplane.evidence import Sentence
from opsplane.exchange import Outcome, Rerouted, Route, Tier
from opsplane.finding import Action, Finding
from opsplane.ledger.store import Ledger
from opsplane.spend import Cost, Purpose, Usage
from tests import fakes
from tests.opsplane.ledger.test_reviews import thumb, turn
from tests.opsplane.twice import twice

JUDGE = "answer/test:model@0123456789ab"


def cost(purpose: Purpose, micros: int) -> Cost:
    return Cost(purpose=purpose, model="test:flash", usage=Usage(), micros=micros, prices="t")


def read(page: MetricsPage, ledger: Ledger) -> dict[str, float]:
    """Every figure of the page: `name{label="value"}` and its value."""
    ledger.settle()
    found = {}
    for family in text_string_to_metric_families(page.text().decode()):
        for one in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(one.labels.items()))
            found[f"{one.name}{{{labels}}}" if labels else one.name] = one.value
    return found


async def answered(ledger: Ledger, identity: str, **changes: Any) -> None:
    told = {
        "sentences": (Sentence(text="The fee is $15.", cites=(1,)),),
        "route": Route(tier=Tier.FLASH, model="test:flash", reason="short"),
        "costs": (cost(Purpose.ANSWER, 1_500),),
        "first_sentence_ms": 90,
        "total_ms": 700,
    }
    await turn(ledger, identity, **(told | changes))


async def test_turns_are_counted_by_outcome_release_and_tier_with_times_and_costs(ledger: Ledger) -> None:
    page = MetricsPage(ledger)
    await answered(ledger, "turn-00001")
    await answered(ledger, "turn-00002", total_ms=4_000)
    await turn(ledger, "turn-00003", outcome=Outcome.DECLINED)
    await twice(ledger, "twice-0001")
    await ledger.append(CostBooked(cost=cost(Purpose.JUDGE, 2_000)), SERVICE)
    found = read(page, ledger)
    assert found['opsplane_exchanges_total{outcome="answered",release="test-1",tier="flash"}'] == 2
    assert found['opsplane_exchanges_total{outcome="declined",release="test-1",tier="none"}'] == 1
    assert found['opsplane_shadows_total{outcome="answered",release="test-2"}'] == 1
    assert found['opsplane_exchange_seconds_bucket{le="1.0",tier="flash"}'] == 1
    assert found['opsplane_exchange_seconds_sum{tier="flash"}'] == pytest.approx(4.7)
    assert found['opsplane_first_sentence_seconds_bucket{le="0.1",tier="flash"}'] == 2
    assert found['opsplane_cost_dollars_total{purpose="answer"}'] == pytest.approx(0.003)
    assert found['opsplane_cost_dollars_total{purpose="judge"}'] == pytest.approx(0.002)


async def test_tokens_findings_and_reroutes_are_counted(ledger: Ledger) -> None:
    page = MetricsPage(ledger)
    found = Finding(code="grounding.figure", action=Action.WITHHOLD, stage="answer", span="$29")
    away = Rerouted(route=Route(tier=Tier.PRO, model="test:pro", reason="x"), code="model.slow", detail="x")
    used = Usage(input=900, output=40, cached=512)
    await turn(ledger, "turn-00001", found, found, reroutes=(away,), usage=used)
    told = read(page, ledger)
    assert told['opsplane_findings_total{action="withhold",code="grounding.figure"}'] == 2
    assert told['opsplane_reroutes_total{code="model.slow"}'] == 1
    kinds = ("input", "output", "cached", "thinking")
    assert [told[f'opsplane_tokens_total{{type="{kind}"}}'] for kind in kinds] == [900, 40, 512, 0]


async def test_a_judge_is_told_with_its_weighted_mean_and_its_vote(ledger: Ledger) -> None:
    await ledger.append(JudgeCalibrated(judge=JUDGE, votes=True, reason="", labels=50), SERVICE)
    page = MetricsPage(ledger)
    assert read(page, ledger)[f'opsplane_judge_votes{{judge="{JUDGE}"}}'] == 1
    for score, stratum in ((20, "flagged 1"), (90, "fees/answered 0.1")):
        await ledger.append(ExchangeScored(exchange="x", scorer=JUDGE, score=score, stratum=stratum), SERVICE)
    await ledger.append(ExchangeUnscored(exchange="y", scorer=JUDGE, reason="prose"), SERVICE)
    await ledger.append(JudgeCalibrated(judge=JUDGE, votes=False, reason="drift", labels=60), SERVICE)
    found = read(page, ledger)
    assert found[f'opsplane_judge_score{{judge="{JUDGE}"}}'] == pytest.approx((0.2 + 10 * 0.9) / 11)
    assert found[f'opsplane_judged_total{{judge="{JUDGE}",result="scored"}}'] == 2
    assert found[f'opsplane_judged_total{{judge="{JUDGE}",result="unscored"}}'] == 1
    assert found[f'opsplane_judge_votes{{judge="{JUDGE}"}}'] == 0


async def test_thumbs_and_alerts_are_counted(ledger: Ledger) -> None:
    page = MetricsPage(ledger)
    await turn(ledger, "turn-00001")
    for value in (0, 1, None, 1):
        await thumb(ledger, "turn-00001", value)
    await ledger.append(AlertRaised(about="quality_fell", subject="grounded", text="It fell."), SERVICE)
    found = read(page, ledger)
    assert found['opsplane_feedback_total{thumb="up"}'] == 2
    assert found['opsplane_feedback_total{thumb="down"}'] == 1
    assert found['opsplane_alerts_total{about="quality_fell"}'] == 1
    assert found["opsplane_record_entries"] == ledger.last()


async def test_counters_begin_with_the_process_and_nothing_counts_twice(ledger: Ledger) -> None:
    await answered(ledger, "turn-00001")
    ledger.settle()
    page = MetricsPage(ledger)
    assert not any(name.startswith("opsplane_exchanges") for name in read(page, ledger))
    await answered(ledger, "turn-00002")
    name = 'opsplane_exchanges_total{outcome="answered",release="test-1",tier="flash"}'
    assert [read(page, ledger)[name] for _ in range(2)] == [1, 1]


async def test_no_word_and_no_name_of_a_customer_is_told(ledger: Ledger) -> None:
    page = MetricsPage(ledger)
    await answered(ledger, "turn-00001")
    ledger.settle()
    text = page.text().decode()
    assert not any(one in text for one in ("C-1001", "turn-00001", "overdraft", "$15", "_created"))


async def test_names_are_few_however_many_there_are(ledger: Ledger, clock: fakes.Clock) -> None:
    page = MetricsPage(ledger)
    clock.step = timedelta(milliseconds=1)
    for number in range(metrics_page.RELEASES + 5):
        await turn(ledger, f"turn-{number:05}", release=f"release-{number}")
    for number in range(metrics_page.JUDGES + 5):
        await ledger.append(ExchangeScored(exchange="x", scorer=f"judge-{number}", score=1), SERVICE)
        await ledger.append(JudgeCalibrated(judge=f"judge-{number}", votes=True, reason="", labels=9), SERVICE)
    found = read(page, ledger)
    assert sum(name.startswith("opsplane_exchanges_total") for name in found) == metrics_page.RELEASES + 1
    assert found['opsplane_exchanges_total{outcome="answered",release="other",tier="none"}'] == 5
    for name in ("opsplane_judged_total", "opsplane_judge_score", "opsplane_judge_votes"):
        assert sum(one.startswith(name) for one in found) == metrics_page.JUDGES


@pytest.mark.parametrize(
    ("headers", "direct"),
    [({}, True), ({"host": "a"}, True), ({"x-forwarded-for": "1.2.3.4"}, False), ({"forwarded": "for=x"}, False)],
)
def test_what_a_proxy_hands_on_is_not_direct(headers: dict[str, str], direct: bool) -> None:
    assert metrics_page.direct(headers) is direct
