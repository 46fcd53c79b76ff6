"""What routing and context caching save of the input bill; run with `python -m benchmarks.caching`.

    python -m benchmarks.caching [--dataset golden/unseen] [--cases 0] [--examples 24] [--release heron-cloud]

A release for Google Cloud answers a dataset's conversations through the real turn, the real clients and the local
server: on Pro alone and by its routing, with and without the beginning of prompts kept. Tokens are those that the
server counts, prices those of the table. Keeping is billed for the whole hours that were bought, however short the run
is. A release that has no examples is given golden questions with their reference answers, so that its prompt's
beginning is as long as Vertex AI keeps; the dataset must be another one. Printed are bills and ratios, whether what the
product booked is what the server counted, and from how many calls in an hour on keeping pays.
"""

import argparse
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assistant import account_tools, evaluating, workshop
from assistant.agent import Agent
from assistant.bootstrap import App
from assistant.evaluating import Wanted
from assistant.llm import ChatModels
from assistant.prefix_cache import PrefixCaches
from assistant.settings import Settings
from assistant.workshop import Workshop
from benchmarks.guardrails import ROOT
from opsplane import registry
from opsplane.evaluation import dataset
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.kept import Kept
from opsplane.evidence import Evidence
from opsplane.exchange import Question, Route, Used
from opsplane.parts import Part, Refusal
from opsplane.release import Example, Release
from opsplane.spend import HOUR, Prices, Purpose, Usage, calls_that_pay
from tests.vertex.cloud import Cloud
from tests.vertex.server import serving
from tests.vertex.services import VERBS

PROVIDER = "google_genai:"


@dataclass(frozen=True)
class Variant:
    """A release in one of the ways that are compared."""

    name: str
    release: Release


@dataclass(frozen=True)
class Bill:
    """What one variant cost, in micro-dollars and tokens, as the server counts; `booked` is what the product did."""

    calls: int
    pro: int
    input: int
    cached: int
    read: int  # micro-dollars for input, cached or not
    kept: int  # micro-dollars for making and keeping caches
    whole: int  # micro-dollars for everything
    booked: int

    @property
    def reading(self) -> int:
        """The input bill with what keeping cost."""
        return self.read + self.kept


class Listening:
    """A responder that hears what is booked."""

    def __init__(self, agent: Agent, prices: Prices) -> None:
        self._agent, self._prices = agent, prices
        self.micros = 0

    async def sentences(
        self, question: Question, passages: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """What the agent yields."""
        async for part in self._agent.sentences(question, passages, route, release):
            yield self._heard(part)

    async def repair(
        self, refusal: Refusal, question: Question, evidence: Sequence[Evidence], route: Route, release: Release
    ) -> AsyncIterator[Part]:
        """What the agent yields."""
        async for part in self._agent.repair(refusal, question, evidence, route, release):
            yield self._heard(part)

    def _heard(self, part: Part) -> Part:
        if isinstance(part, Used):
            self.micros += self._prices.cost(part.model, part.usage, part.region)
        return part


def main() -> None:
    """Print a table of the variants, and what it says."""
    chosen = _arguments()
    asked = dataset.load(ROOT / "tests" / chosen.dataset)
    if chosen.cases:
        asked = asked.model_copy(update={"cases": asked.cases[: chosen.cases]})
    release = _with_examples(registry.load_all(ROOT / "deploy" / "releases")[chosen.release], chosen.examples)
    with tempfile.TemporaryDirectory(prefix="opsplane-caching-") as folder, serving(VERBS) as cloud:
        settings = Settings(
            data=Path(folder), google_project=cloud.project, google_endpoint=cloud.url, google_credentials="none"
        )
        with workshop.opened(settings, lambda *_: None) as shop:
            variants = _variants(release)
            bills = [_measured(one.release, asked, shop, cloud) for one in variants]
            print(f"{release.id}, {len(release.prompt.examples)} examples, {len(asked.cases)} conversations\n")
            _show(variants, bills)
            _breaks_even(release, shop.prices)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="golden/unseen", help="a folder of cases under tests")
    parser.add_argument("--cases", type=int, default=0, help="only so many of them (0: all)")
    parser.add_argument("--examples", type=int, default=24, help="for a release without examples of its own")
    parser.add_argument("--release", default="heron-cloud", help="one of deploy/releases")
    return parser.parse_args()


def _with_examples(release: Release, count: int) -> Release:
    """The release with golden questions as examples, spread over the whole set, where it has none."""
    if release.prompt.examples or not count:
        return release
    answered = [case for case in dataset.load(ROOT / "tests" / "golden").cases if case.reference and not case.history]
    some = answered[:: max(1, len(answered) // count)][:count]
    examples = tuple(Example(question=case.question, answer=case.reference) for case in some)
    return release.model_copy(update={"prompt": release.prompt.model_copy(update={"examples": examples})})


def _variants(release: Release) -> list[Variant]:
    """The four ways. Nothing is asked twice or elsewhere, so that a slow machine does not change the count."""
    tiers = {
        tier: getattr(release.models, tier).model_copy(update={"timeout_seconds": 600.0}) for tier in ("flash", "pro")
    }
    kept = release.models.model_copy(update={**tiers, "resilience": None})
    sent = kept.model_copy(update={"caching": None})
    pro = release.routing.model_copy(update={"pro_from_words": 1})
    return [
        Variant("Pro alone", release.model_copy(update={"models": sent, "routing": pro})),
        Variant("Pro alone, kept", release.model_copy(update={"models": kept, "routing": pro})),
        Variant("routed", release.model_copy(update={"models": sent})),
        Variant("routed, kept", release.model_copy(update={"models": kept})),
    ]


def _measured(release: Release, asked: Dataset, shop: Workshop, cloud: Cloud) -> Bill:
    """Put every conversation to the product; the server's own count of it."""
    cloud.held.pop("gemini", None)
    caches, heard = PrefixCaches(shop.prices), list[Listening]()

    def altered(app: App) -> App:
        models = ChatModels(shop.embeddings, shop.settings.cloud, Purpose.EVALUATION, caches)
        heard.append(Listening(Agent(models, account_tools.tools(), app.bank, app.today), shop.prices))
        return replace(app, parts=replace(app.parts, responder=heard[0]))

    with Kept(None) as nothing:
        evaluating.run(shop, release, Wanted(asked, ()), nothing, altered)
    caches.settle()
    kept = sum(_kept(one, shop.prices) for one in cloud.held.get("gemini caches", {}).values())
    unbooked = sum(shop.prices.cost(one.model, one.usage, one.region) for one in caches.close())
    bills = cloud.held["gemini"]["bills"]
    return _counted(bills, kept, heard[0].micros + unbooked, release, shop.prices)


def _kept(cache: dict[str, Any], prices: Prices) -> int:
    """Micro-dollars for one cache: its tokens once, and storage for the time that was bought at once."""
    tokens, bought = cache["tokens"], int(str(cache["ttl"]).removesuffix("s"))
    model = f"{PROVIDER}{cache['model'].rpartition('/')[2]}"
    return prices.cost(model, Usage(input=tokens, stored=tokens * bought))


def _counted(bills: Sequence[dict[str, Any]], kept: int, booked: int, release: Release, prices: Prices) -> Bill:
    read = whole = 0
    for one in bills:
        model, usage = f"{PROVIDER}{one['model']}", Usage(input=one["input"], cached=one["cached"])
        read += prices.cost(model, usage)
        whole += prices.cost(model, usage.plus(Usage(output=one["output"])))
    pro = release.models.pro.name.removeprefix(PROVIDER)
    return Bill(
        calls=len(bills),
        pro=sum(one["model"] == pro for one in bills),
        input=sum(one["input"] for one in bills),
        cached=sum(one["cached"] for one in bills),
        read=read,
        kept=kept,
        whole=whole + kept,
        booked=booked,
    )


def _show(variants: Sequence[Variant], bills: Sequence[Bill]) -> None:
    first = bills[0].reading
    print(
        f"{'':16} {'calls':>6} {'on Pro':>6} {'input':>9} {'cached':>6} {'input bill':>11} {'keeping':>10} {'ratio':>6}"
    )
    for variant, bill in zip(variants, bills, strict=True):
        print(
            f"{variant.name:16} {bill.calls:6} {bill.pro:6} {bill.input:9} {bill.cached / bill.input:6.1%} "
            f"{_dollars(bill.reading):>11} {_dollars(bill.kept):>10} {bill.reading / first:6.3f}"
        )
    alone, kept_alone, routed, kept = bills
    print(f"\nrouting: x {_ratio(routed, alone)} of the input bill of Pro alone")
    print(f"keeping: x {_ratio(kept_alone, alone)} on Pro alone, x {_ratio(kept, routed)} routed")
    print(f"both: x {_ratio(kept, alone)}; x {kept.read / alone.reading:.3f} where traffic makes keeping a trifle")
    wrong = [variant.name for variant, bill in zip(variants, bills, strict=True) if bill.booked != bill.whole]
    print(f"booked is what was counted, to the micro-dollar: {'no: ' + ', '.join(wrong) if wrong else 'yes'}")
    if wrong:
        raise SystemExit(1)


def _ratio(one: Bill, other: Bill) -> str:
    return f"{one.reading / other.reading:.3f}"


def _dollars(micros: int) -> str:
    return f"${micros / 1_000_000:.6f}"


def _breaks_even(release: Release, prices: Prices) -> None:
    for model in dict.fromkeys((release.models.flash.name, release.models.pro.name)):
        rates = prices.rates(model)
        if rates:
            made, kept = calls_that_pay(rates, HOUR), calls_that_pay(rates, HOUR, made=False)
            print(f"{model}: keeping pays from {made} calls in its first hour, from {kept} in each one after")


if __name__ == "__main__":
    main()
