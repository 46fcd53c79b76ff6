"""Costs are integers, unknown prices are not free unnoticed, and a forecast says how little it knows."""

import random
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.embedding import MiniLM
from opsplane import spend
from opsplane.errors import InvalidRelease
from opsplane.spend import (
    Cost,
    EmbeddingPrice,
    Price,
    Prices,
    Purpose,
    Rates,
    Usage,
    calls_that_pay,
    forecast,
    merged,
)


def price(read: str, written: str, cached: str, thinking: str | None = None) -> Price:
    thought = None if thinking is None else Decimal(thinking)
    return Price(input=Decimal(read), output=Decimal(written), cached=Decimal(cached), thinking=thought)


EUROPE = Rates(input=Decimal(1), output=Decimal(4), cached=Decimal("0.1"))
TABLE = Prices(
    version="t",
    source="test",
    currency="USD",
    models={
        "m": price("0.75", "3.75", "0.075"),
        "thinker": price("1", "2", "0.5", thinking="7"),
        "regional": price("0.75", "3.75", "0.075").model_copy(update={"regions": {"europe-west4": EUROPE}}),
    },
    embeddings={"e": EmbeddingPrice(input=Decimal("0.15"), regions={"asia-east1": Decimal("0.20")})},
)


def test_tokens_cost_their_price_and_cached_ones_theirs() -> None:
    assert TABLE.cost("m", Usage(input=1_000_000)) == 750_000
    assert TABLE.cost("m", Usage(input=1_000, output=200, cached=400)) == 600 * 3 // 4 + 30 + 750


def test_thinking_tokens_cost_what_output_costs_unless_the_table_says_otherwise() -> None:
    assert TABLE.cost("m", Usage(output=400, thinking=300)) == TABLE.cost("m", Usage(output=400)) == 1_500
    assert TABLE.cost("thinker", Usage(output=400, thinking=300)) == 100 * 2 + 300 * 7


def test_halves_are_rounded_to_even() -> None:
    assert TABLE.cost("m", Usage(input=2)) == 2  # 1.5
    assert TABLE.cost("m", Usage(output=2)) == 8  # 7.5


def test_a_call_is_rounded_once() -> None:
    assert TABLE.cost("m", Usage(input=3, output=3, cached=1)) == 13  # 1.5 + 0.075 + 11.25 = 12.825


def test_more_cached_or_thinking_tokens_than_there_are_count_as_all() -> None:
    assert TABLE.cost("m", Usage(input=1_000, cached=2_000)) == 75
    assert TABLE.cost("thinker", Usage(output=10, thinking=50)) == 70


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_the_largest_calls_are_exact(read: int, written: int, cached: int) -> None:
    table = TABLE.model_copy(update={"models": {"m": price("0.12345679", "3.98765431", "0.00000001")}})
    cached = min(cached, read)
    exact = (read - cached) * 12_345_679 + written * 398_765_431 + cached  # in hundred-millionths
    whole, rest = divmod(exact, 10**8)
    up = rest * 2 > 10**8 or (rest * 2 == 10**8 and whole % 2 == 1)
    assert table.cost("m", Usage(input=read, output=written, cached=cached)) == whole + up


KEPT = Price(input=Decimal("0.75"), output=Decimal("3.75"), cached=Decimal("0.075"), storage=Decimal("1"))
KEEPING = TABLE.model_copy(update={"models": {**TABLE.models, "kept": KEPT}})


def test_tokens_that_are_kept_cost_by_the_hour_and_making_the_cache_what_input_costs() -> None:
    assert KEEPING.cost("kept", Usage(stored=1_000_000 * 3_600)) == 1_000_000
    assert KEEPING.cost("kept", Usage(input=2_048, stored=2_048 * 3_600)) == 2_048 * 3 // 4 + 2_048
    assert KEEPING.cost("kept", Usage(stored=1_800)) == 0  # half a micro-dollar
    assert KEEPING.cost("kept", Usage(stored=3 * 1_800)) == 2  # one and a half


@given(st.integers(0, 2**21), st.integers(0, 10**7), st.decimals("0", "100", places=8))
def test_what_keeping_costs_is_exact_and_rounded_once(tokens: int, seconds: int, storage: Decimal) -> None:
    rates = KEPT.model_copy(update={"storage": storage})
    table = TABLE.model_copy(update={"models": {"m": rates}})
    exact = tokens * Fraction(3, 4) + Fraction(tokens * seconds) * Fraction(storage) / 3_600
    whole, rest = divmod(exact, 1)
    up = rest * 2 > 1 or (rest * 2 == 1 and whole % 2 == 1)
    assert table.cost("m", Usage(input=tokens, stored=tokens * seconds)) == whole + up


def test_keeping_without_a_price_is_not_known_and_calls_still_are() -> None:
    assert TABLE.knows("m")
    assert not TABLE.knows("m", "", Usage(stored=1))
    assert KEEPING.knows("kept", "", Usage(stored=1))


def test_a_usage_without_storage_has_the_bytes_that_it_always_had() -> None:
    assert Usage(input=1).model_dump_json() == '{"input":1,"output":0,"cached":0,"thinking":0}'
    assert Usage.model_validate_json('{"input":1}').plus(Usage(stored=7)).stored == 7


def test_keeping_pays_from_so_many_calls_on() -> None:
    assert calls_that_pay(KEPT, 3_600) == 3  # (0.75 + 1) / 0.675 = 2.59
    assert calls_that_pay(KEPT, 3_600, made=False) == 2  # 1 / 0.675 = 1.48
    assert calls_that_pay(price("1", "2", "1"), 3_600) is None
    assert calls_that_pay(price("1", "2", "0.1"), 3_600) is None


RATE = st.decimals("0.01", "20", places=4)


@given(RATE, RATE, RATE, st.integers(60, 604_800), st.integers(1, 10**6))
def test_one_call_fewer_does_not_pay(read: Decimal, cached: Decimal, storage: Decimal, seconds: int, size: int) -> None:
    rates = Rates(input=read, output=Decimal(1), cached=cached, storage=storage)
    least = calls_that_pay(rates, seconds)
    if least is None:
        assert cached >= read
        return
    kept = rates.exact(Usage(input=size, stored=size * seconds))
    for calls, pays in ((least, True), (least - 1, False)):
        sent = calls * rates.exact(Usage(input=size))
        assert (kept + calls * rates.exact(Usage(input=size, cached=size)) <= sent) is pays


def test_an_unknown_model_is_told_from_a_free_one() -> None:
    assert TABLE.cost("other", Usage(input=10)) == 0
    assert not TABLE.knows("other")


def test_a_region_has_its_own_price() -> None:
    assert TABLE.cost("regional", Usage(input=1_000), "europe-west4") == 1_000
    assert TABLE.cost("regional", Usage(input=1_000)) == 750


def test_a_region_without_a_price_is_not_known_and_not_free() -> None:
    assert TABLE.knows("regional", "europe-west4")
    assert not TABLE.knows("regional", "moon-east1")
    assert TABLE.cost("regional", Usage(input=1_000), "moon-east1") == 750
    assert TABLE.knows("m", "moon-east1")  # costs the same everywhere


def test_embeddings_cost_what_they_read() -> None:
    assert TABLE.cost("e", Usage(input=1_000_000)) == 150_000
    assert TABLE.cost("e", Usage(input=1_000_000), "asia-east1") == 200_000
    assert TABLE.knows("e", "asia-east1")
    assert not TABLE.knows("e", "moon-east1")


def test_a_booking_says_what_for_and_by_which_table() -> None:
    usage = Usage(input=1_000, output=10)
    booked = TABLE.book(Purpose.JUDGE, "regional", usage, "europe-west4")
    expected = Cost(
        purpose=Purpose.JUDGE, model="regional", region="europe-west4", usage=usage, micros=1_040, prices="t"
    )
    assert booked == expected


def test_calls_are_merged_by_purpose_and_model_and_nothing_is_rounded_twice() -> None:
    calls = [TABLE.book(Purpose.ANSWER, "m", Usage(input=2)) for _ in range(3)]
    judge = TABLE.book(Purpose.JUDGE, "m", Usage(input=2, thinking=1, output=1))
    answer, other = merged([calls[0], judge, *calls[1:]])
    assert (answer.purpose, answer.usage, answer.micros) == (Purpose.ANSWER, Usage(input=6), 6)
    assert other == judge


def test_the_table_that_ships_knows_the_embedded_models_as_free() -> None:
    table = spend.load()
    for model in ("embedded:extractive", f"embedded:{MiniLM.name}"):
        assert table.knows(model)
        assert table.cost(model, Usage(input=10_000, output=500)) == 0


def test_the_table_that_ships_says_where_its_prices_come_from() -> None:
    assert (spend.load().version, "Vertex AI" in spend.load().source) == ("2026-11.2", True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('  m: {input: "-1", output: "0", cached: "0"}', "line 5: models.m.input: Input should be greater"),
        ('  m: {input: "1", output: "0"}', "line 5: models.m.cached: Field required"),
        ('  m: {input: "NaN", output: "0", cached: "0"}', "models.m.input"),
        ('  m: {input: "0.123456789", output: "0", cached: "0"}', "models.m.input"),
        ('  m: {input: "1", output: "0", cached: "0", imput: "1"}', "models.m.imput: Extra inputs"),
    ],
)
def test_a_wrong_price_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(f'version: "1"\nsource: s\ncurrency: USD\nmodels:\n{line}\n')
    with pytest.raises(InvalidRelease, match=message):
        spend.load(path)


def test_another_currency_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text('version: "1"\nsource: s\ncurrency: EUR\nmodels: {}\n')
    with pytest.raises(InvalidRelease, match="line 3: currency"):
        spend.load(path)


MONDAY = date(2026, 11, 23)


def history(*micros: int, until: date = MONDAY) -> dict[date, int]:
    """So much on each of the last days before `until`."""
    return {until - timedelta(days=len(micros) - n): one for n, one in enumerate(micros)}


def test_without_a_whole_day_there_is_no_forecast() -> None:
    assert forecast({}, MONDAY) is None
    assert forecast({MONDAY: 500}, MONDAY) is None


def test_one_day_tells_no_spread() -> None:
    found = forecast(history(100), MONDAY)
    assert found is not None
    assert (found.micros, found.low, found.high, found.days) == (900, 100, None, 1)  # that day and eight to come


def test_two_days_tell_a_wide_one_that_does_not_end_below_what_is_spent() -> None:
    found = forecast(history(100, 300), MONDAY)
    assert found is not None
    assert (found.micros, found.low) == (400 + 8 * 200, 400)
    assert found.high is not None
    assert found.high > 3 * found.micros


def test_today_counts_as_a_whole_day_or_as_what_it_has_cost_already() -> None:
    quiet, busy = (forecast({**history(100, 100), MONDAY: today}, MONDAY) for today in (30, 5_000))
    assert quiet is not None
    assert busy is not None
    assert (quiet.micros, busy.micros) == (200 + 8 * 100, 200 + 5_000 + 7 * 100)


def test_days_in_between_without_a_booking_count_as_nothing() -> None:
    found = forecast({MONDAY - timedelta(days=4): 400}, MONDAY)
    assert found is not None
    assert (found.days, found.micros) == (4, 400 + 8 * 100)


def test_with_two_weeks_each_weekday_has_its_own_mean() -> None:
    micros = [0 if (MONDAY - timedelta(days=28 - n)).weekday() >= 5 else 100 for n in range(28)]
    found = forecast(history(*micros), MONDAY)
    assert found is not None
    spent = 100 * sum((date(2026, 11, day)).weekday() < 5 for day in range(1, 23))
    assert (found.micros, found.method) == (spent + 6 * 100, "the mean of each weekday")  # 23 to 27 and the 30th
    assert found.low == found.micros == found.high


def test_on_the_last_day_only_that_day_is_judged() -> None:
    last = date(2026, 11, 30)
    found = forecast(history(100, 100, 100, until=last), last)
    assert found is not None
    assert found.micros == 400


def test_nine_intervals_in_ten_hold_what_came() -> None:
    chance, hits, first = random.Random(5), 0, date(2026, 9, 1)
    for _ in range(400):
        days = {
            first + timedelta(days=n): round(
                1e6 * (1 + ((first + timedelta(days=n)).weekday() < 5)) * chance.gauss(1, 0.2)
            )
            for n in range(91)
        }
        today = date(2026, 11, chance.randint(2, 28))
        found = forecast({day: micros for day, micros in days.items() if day < today}, today)
        came = sum(micros for day, micros in days.items() if day.month == 11)
        assert found is not None
        assert found.high is not None
        hits += found.low <= came <= found.high
    assert 0.85 <= hits / 400 <= 0.97
