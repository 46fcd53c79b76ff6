"""Whether it pays that a provider keeps the beginnings of prompts: what that cost, and what it spared."""

from dataclasses import dataclass
from datetime import tzinfo
from fractions import Fraction

from assistant.panels import dollars, plain
from opsplane.ledger import costs
from opsplane.ledger.costs import CostQuery, Record
from opsplane.spend import HOUR, Prices, Purpose, calls_that_pay


@dataclass(frozen=True)
class Keeping:
    """Micro-dollars that keeping cost, and that tokens read from a cache cost less than as input would have.

    `pays` are models with the calls in an hour from which on it pays, where the price table tells that.
    """

    cost: int
    spared: int
    pays: tuple[tuple[str, int], ...]


def read(record: Record, query: CostQuery, zone: tzinfo, prices: Prices) -> Keeping | None:
    """What the query's time and filters tell, or None where nothing was kept. Raises `RecordUnavailable`."""
    kept = costs.search(record, query.model_copy(update={"by": costs.By.MODEL, "purpose": Purpose.CACHE}), zone)
    if not kept.rows:
        return None
    models = costs.search(record, query.model_copy(update={"by": costs.By.MODEL, "purpose": None}), zone)
    spared = Fraction(0)
    pays: dict[str, int] = {}
    for row in models.rows:
        rates = prices.rates(row.key)
        if rates is not None:
            spared += row.cached_tokens * (Fraction(rates.input) - Fraction(rates.cached))
    for row in kept.rows:
        rates = prices.rates(row.key)
        calls = calls_that_pay(rates, HOUR) if rates else None
        pays |= {row.key: calls} if calls else {}
    return Keeping(kept.total.micros, round(spared), tuple(pays.items()))


def line(found: Keeping) -> str:
    """One sentence or two for people; the price without a region is taken for all regions."""
    verdict = "it paid" if found.spared >= found.cost else "it did not pay"
    told = (
        f"Keeping the beginnings of prompts cost {dollars(found.cost)}, and cached tokens spared "
        f"{dollars(found.spared)} of input: {verdict}."
    )
    if not found.pays:
        return told
    from_ = ", ".join(f"{calls} calls in an hour ({plain(model)})" for model, calls in found.pays)
    return f"{told} It pays from {from_}."
