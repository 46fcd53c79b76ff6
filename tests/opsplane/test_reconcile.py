"""The provider's bill is read as it comes, and every difference is found."""

from contextlib import suppress
from datetime import UTC, date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsplane.errors import InvalidRequest
from opsplane.reconcile import Bill, Match, compare, read

FLASH, PRO = "google_genai:gemini-3.8-flash", "google_genai:gemini-4-argon"
MODELS = (FLASH, PRO, "google_genai:gemini-3.5-flash", "google_genai:gemini-3.5-flash-lite", "embedded:extractive")
DAY = date(2026, 11, 23)

BIGQUERY = """\
billing_account_id,service.description,sku.description,usage_start_time,usage.amount,usage.unit,cost,currency
0-1,Vertex AI,Gemini 3.8 Flash Text Input - Predictions,2026-11-23 07:00:00 UTC,1200000,count,0.9,USD
0-1,Vertex AI,Gemini 3.8 Flash Thinking Text Output - Predictions,2026-11-23 08:00:00 UTC,1e5,count,3.75E-1,USD
0-1,Vertex AI,Gemini 4 Argon Text Output - Predictions,2026-11-24T03:00:00Z,10,count,0.0001,USD
0-1,Compute Engine,N1 Predefined Instance Core,2026-11-23 07:00:00 UTC,4,hour,12.5,USD
"""
CONSOLE = """\
Invoice number,123,
Billing account name,The Bank,

Project name,Service description,SKU description,Usage start date,Usage amount,Cost ($)
chat,Vertex AI,Gemini 3.8 Flash Text Input,2026-11-23,"1,200,000","$1,000.50"
chat,Vertex AI,Gemini 3.8 Flash Text Input,2026-11-23,5,-0.50
,,,,Total,"1,000.00"
"""


def rows(*lines: str, head: str = "day,sku,cost,currency,service") -> str:
    return "\n".join([head, *lines])


def test_an_export_of_bigquery_is_read() -> None:
    bill = read(BIGQUERY, MODELS)
    assert bill.costs == {(DAY, FLASH): Decimal("1.275"), (date(2026, 11, 24), PRO): Decimal("0.0001")}
    assert (bill.lines, bill.elsewhere, bill.undated) == (3, 1, 0)
    assert bill.days == (DAY, date(2026, 11, 24))


def test_a_time_is_a_day_of_the_zone_that_is_asked_for() -> None:
    bill = read(BIGQUERY, MODELS, ZoneInfo("America/Los_Angeles"))
    assert bill.costs == {
        (date(2026, 11, 22), FLASH): Decimal("0.9"),  # 11 at night
        (DAY, FLASH): Decimal("0.375"),
        (DAY, PRO): Decimal("0.0001"),
    }


def test_a_table_of_the_console_is_read_past_its_preamble_and_total() -> None:
    bill = read(CONSOLE, MODELS)
    assert bill.costs == {(DAY, FLASH): Decimal(1_000)}
    assert (bill.lines, bill.undated) == (2, 1)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("begin", ["", "\ufeff"])
def test_separators_and_byte_order_marks_do_not_matter(separator: str, begin: str) -> None:
    text = rows("2026-11-23,Gemini 4 Argon,1.5,USD,Vertex AI").replace(",", separator)
    assert read(begin + text, MODELS).costs == {(DAY, PRO): Decimal("1.5")}


@pytest.mark.parametrize(
    ("sku", "model"),
    [
        ("Gemini 3.8 Flash Text Input - Predictions", FLASH),
        ("Gemini 3.5 Flash-Lite Text Input", "google_genai:gemini-3.5-flash-lite"),
        ("Gemini 3.5 Flash Text Caching", "google_genai:gemini-3.5-flash"),
        ("Gemini 3.8 Flash Lite Text Input", "Gemini 3.8 Flash Lite Text Input"),  # a model that we do not know
        ("Gemini 13.8 Flash Text Input", "Gemini 13.8 Flash Text Input"),
        ("Online Prediction", "Online Prediction"),
        ("", "no SKU"),
    ],
)
def test_a_sku_belongs_to_the_model_whose_name_it_holds(sku: str, model: str) -> None:
    assert list(read(rows(f"2026-11-23,{sku},1,USD,Vertex AI"), MODELS).costs) == [(DAY, model)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2026-11-23,s,abc,USD,", "line 3: the cost 'abc' is not a number"),
        ("2026-11-23,s,,USD,", "line 3: the cost '' is not a number"),
        ("2026-11-23,s,NaN,USD,", "line 3: the cost 'NaN' is not a number"),
        ('2026-11-23,s,"12,5",USD,', "line 3: the cost '12,5' is not a number"),
        ("2026-11-23,s,1,EUR,", "line 3: the currency is 'EUR'; the record is kept in USD"),
        ("23.11.2026,s,1,USD,", "line 3: '23.11.2026' is not a day"),
        ("9999-12-31T23:59:59-12:00,s,1,USD,", "line 3: .* is not a day"),
        ('2026-11-23,"s,1,USD,', "line 3: this is no CSV"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(line: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        read(rows("2026-11-22,s,1,USD,Vertex AI", line.rstrip(",") + ",Vertex AI"), MODELS)


def test_an_unreadable_usage_is_named_too() -> None:
    with pytest.raises(InvalidRequest, match="line 2: the usage amount 'many' is not a number"):
        read(rows("2026-11-23,s,1,many", head="day,sku,cost,usage amount"), MODELS)


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n1,2\n", "day,cost\n2026-11-23,1\n", "%PDF-1.7 \x00\x01"])
def test_a_file_without_the_columns_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"No line names all columns that are needed \(day: usage_start_time"):
        read(text, MODELS)


@given(st.text(max_size=300))
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    for content in (text, rows(text), rows(f"2026-11-23,{text},1,USD,Vertex AI")):
        with suppress(InvalidRequest):
            assert read(content, MODELS).lines >= 0


def bill(**dollars: str) -> Bill:
    return Bill({(DAY, model): Decimal(cost) for model, cost in dollars.items()}, len(dollars))


def booked(**micros: int) -> dict[tuple[date, str], int]:
    return {(DAY, model): cost for model, cost in micros.items()}


def test_every_kind_of_difference_is_found() -> None:
    found = compare(
        bill(same="1", near="1", far="1", unbooked="1"),
        booked(same=1_000_000, near=1_010_000, far=1_010_001, unbilled=1_000_000, free=0),
    )
    assert {line.model: (line.match, line.difference) for line in found.lines} == {
        "same": (Match.MATCHED, 0),
        "near": (Match.MATCHED, 10_000),
        "far": (Match.DIFFERENT, 10_001),
        "unbooked": (Match.BILLED, -1_000_000),
        "unbilled": (Match.BOOKED, 1_000_000),
    }
    assert (found.booked, found.billed, found.agrees) == (4_020_001, 4_000_000, False)


def test_a_cent_is_no_difference_and_the_tolerance_can_be_chosen() -> None:
    assert compare(bill(m="0.01"), booked(m=19_999)).agrees
    assert not compare(bill(m="0.01"), booked(m=19_999), least=0).agrees
    assert compare(bill(m="100"), booked(m=105_000_000), tolerance=Decimal("0.05")).agrees


def test_an_empty_bill_and_an_empty_record_agree() -> None:
    found = compare(read(rows(), MODELS), {})
    assert (found.lines, found.booked, found.billed, found.agrees) == ((), 0, 0, True)
    assert read(rows(), MODELS, UTC).days is None


def test_the_sum_of_a_bill_is_rounded_once() -> None:
    costs = {(date(2026, 11, day), "m"): Decimal("0.0000004") for day in range(1, 11)}
    assert compare(Bill(costs, 10), {}).billed == 4
