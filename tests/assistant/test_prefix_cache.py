"""When a cache is made, renewed, found again and let go; what can go wrong on the way costs no answer."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from assistant import prefix_cache
from assistant.prefix_cache import Beginning, Kept, PrefixCaches, Step, Wanted, due, spare, told
from opsplane.exchange import Used
from opsplane.release import Caching
from opsplane.spend import Price, Purpose, Usage, load
from tests import fakes
from tests.assistant import keeping
from tests.assistant.keeping import FLASH, RELEASE, TTL, Bench, bought, cached_tokens
from tests.vertex.cloud import Cloud
from tests.vertex.faults import Kind

# Google's client derives a class from one of aiohttp's, which aiohttp does not like.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


@pytest.fixture(scope="module")
def models() -> Iterator[tuple[Cloud, dict[str, ChatGoogleGenerativeAI]]]:
    with keeping.shared() as one:
        yield one


@pytest.fixture
def bench(models: tuple[Cloud, dict[str, ChatGoogleGenerativeAI]]) -> Iterator[Bench]:
    with keeping.opened(*models) as one:
        yield one


KEPT = Kept("caches/1", 2_048, expires=TTL, own=True)
ONE = Beginning("gemini-3.8-flash", "us-central1", "You answer.", (("user", "Q?"), ("model", "A.")), ({"name": "t"},))


def calls(*times: float, most: int = 3) -> deque[float]:
    return deque(times, maxlen=most)


@pytest.mark.parametrize(
    ("kept", "recent", "now", "step"),
    [
        (None, calls(1, 2), 2, None),
        (None, calls(1, 2, 3), 3, Step.MAKE),
        (None, calls(0, 2, TTL), TTL, Step.MAKE),
        (None, calls(0, 2, TTL + 1), TTL + 1, None),  # the three did not come within its time
        (KEPT, calls(1, 2, 3), 3, None),
        (KEPT, calls(1, 2, TTL / 2), TTL / 2, Step.RENEW),
        (replace(KEPT, expires=2 * TTL), calls(1, 2, TTL + 900), TTL + 900, None),
        (None, calls(5, most=1), 5, Step.MAKE),
    ],
)
def test_what_is_due(kept: Kept | None, recent: deque[float], now: float, step: Step | None) -> None:
    assert due(kept, recent, now, TTL) is step


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=60), st.integers(1, 8))
def test_a_cache_is_never_made_before_as_many_calls_as_pay(gaps: list[int], least: int) -> None:
    recent: deque[float] = deque(maxlen=least)
    moments: list[float] = []
    for gap in gaps:
        moments.append((moments[-1] if moments else 0.0) + gap)
        recent.append(moments[-1])
        lately = [one for one in moments if moments[-1] - one <= TTL]
        assert (due(None, recent, moments[-1], TTL) is Step.MAKE) == (len(lately) >= least)


def test_a_call_under_way_does_not_lose_its_cache() -> None:
    assert (spare(60), spare(3_600), spare(604_800)) == (3, 30, 30)


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, model="gemini-4-argon"),
        replace(ONE, region="europe-west4"),
        replace(ONE, system="You answer!"),
        replace(ONE, turns=()),
        replace(ONE, tools=({"name": "u"},)),
    ],
)
def test_another_beginning_has_another_name(other: Beginning) -> None:
    assert other.name != ONE.name == replace(ONE).name
    assert len(ONE.name) <= 128  # what Google takes


def test_a_message_tells_what_was_bought() -> None:
    usage = Usage(input=2_048, stored=2_048 * TTL)
    message = AIMessage("x", response_metadata=told(usage))
    assert list(prefix_cache.bought(message, "m", "r")) == [
        Used(model="m", usage=usage, region="r", purpose=Purpose.CACHE)
    ]
    assert told(Usage()) == {}
    assert list(prefix_cache.bought(AIMessage("x"), "m")) == []


def test_what_can_never_pay_is_never_tried() -> None:
    caches = PrefixCaches(load().model_copy(update={"models": {"m": dear()}}))
    wanted = Wanted(None, ONE, "m", Caching(ttl_seconds=TTL))
    assert [caches.use(wanted) for _ in range(20)] == [None] * 20
    caches.settle()
    assert caches.close() == ()


def dear() -> Price:
    """A model whose cached tokens cost what any do."""
    flash = load().models["google_genai:gemini-3.8-flash"]
    return flash.model_copy(update={"cached": flash.input})


def test_what_nobody_told_is_returned_at_the_end(bench: Bench) -> None:
    model = bench.model()
    assert [bought(bench.ask(model)) for _ in range(3)] == [[], [], []]
    assert [one.model for one in bench.caches.close()] == [FLASH]


def test_a_cache_that_is_gone_twice_is_left_alone_for_a_while(bench: Bench) -> None:
    model = bench.model()
    bench.warm(model)
    bench.cloud.faults.add(Kind.EXPIRED, "gemini.generate", times=2)
    for _ in range(6):
        bench.ask(model)
    assert bench.made() == 2
    bench.wait(prefix_cache.REST + 1)
    bench.ask(model)
    assert cached_tokens(bench.ask(model)) > 0


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("gemini.count", Kind.GARBLED),
        ("gemini.cache.list", Kind.DENIED),
        ("gemini.cache.create", Kind.INVALID),
        ("gemini.cache.create", Kind.UNAVAILABLE),
        ("gemini.cache.create", Kind.DROPS),
    ],
)
def test_without_a_cache_answers_come_all_the_same(bench: Bench, kind: Kind, call: str) -> None:
    bench.cloud.faults.add(kind, call, times=1, bytes=10)
    model = bench.model()
    said = [bench.ask(model) for _ in range(5)]
    assert {str(one.text) for one in said} == {"The overdraft fee is $15 for each item. [1]"}
    assert [cached_tokens(one) for one in said] == [0] * 5
    assert len(bench.cloud.heard(call)) == 1  # and it is not tried again at once
    bench.wait(prefix_cache.REST + 1)
    assert cached_tokens(bench.warm(model)[-1]) > 0


def test_a_beginning_that_is_too_short_is_counted_once_and_never_kept(bench: Bench) -> None:
    bench.release = fakes.release(models=RELEASE.models.model_dump(exclude_none=True))
    model = bench.model()
    assert [cached_tokens(bench.ask(model)) for _ in range(6)] == [0] * 6
    assert len(bench.cloud.heard("gemini.count")) == 1
    assert bench.made() == 0


def test_it_is_renewed_while_it_is_used_and_only_the_longer_time_is_bought(bench: Bench) -> None:
    model = bench.model()
    bench.warm(model)
    bench.wait(TTL * 0.6)
    renewing, told = bench.ask(model), bench.ask(model)
    assert bought(renewing) == []
    (used,) = bought(told)
    assert used.usage.input == 0
    assert used.usage.stored / cached_tokens(told) == pytest.approx(TTL * 0.6, abs=2)
    bench.wait(TTL * 0.8)  # beyond its first end
    assert cached_tokens(bench.ask(model)) > 0
    assert bench.made() == 1


def test_after_a_quiet_time_it_is_made_again_only_when_it_pays(bench: Bench) -> None:
    model = bench.model()
    bench.warm(model)
    bench.wait(2 * TTL)
    assert [cached_tokens(one) > 0 for one in bench.warm(model)] == [False, False, False, True]
    assert bench.made() == 2


def test_another_process_finds_it_and_pays_nothing(bench: Bench) -> None:
    bench.warm(bench.model())
    other = bench.process()
    said = bench.warm(bench.model(other))
    assert cached_tokens(said[-1]) > 0
    assert bought(said[-1]) == []
    assert bench.made() == 1
    other.close()
    assert cached_tokens(bench.ask(bench.model())) > 0  # it was not the other's to delete


def test_two_processes_that_make_it_at_once_both_work(bench: Bench) -> None:
    one, other = bench.model(), bench.model(bench.process())
    for _ in range(3):
        one.invoke(bench.prompt())
        other.invoke(bench.prompt())
    assert cached_tokens([bench.ask(one) for _ in range(2)][-1]) > 0
    assert cached_tokens([bench.ask(other) for _ in range(2)][-1]) > 0
    other.caches.close()


def test_two_processes_pay_for_the_same_hours_once(bench: Bench) -> None:
    first, second = bench.model(), bench.model(bench.process())
    bench.warm(first)
    bench.warm(second)
    bench.wait(TTL * 0.6)
    for model in (first, second, first, second):
        bench.ask(model)
    assert len(bench.cloud.heard("gemini.cache.update")) == 1
    second.caches.close()


def test_at_the_end_its_maker_deletes_it_and_others_go_on(bench: Bench) -> None:
    bench.warm(bench.model())
    other = bench.model(bench.process())
    bench.warm(other)
    bench.caches.close()
    assert len(bench.cloud.heard("gemini.cache.delete")) == 1
    assert cached_tokens(bench.ask(other)) == 0
    assert cached_tokens(bench.ask(other)) > 0
    assert cached_tokens(bench.ask(bench.model())) == 0  # the one that ended makes no more
    other.caches.close()


def test_each_region_has_its_own(bench: Bench) -> None:
    bench.warm(bench.model())
    assert cached_tokens(bench.warm(bench.model(region="europe-west4"))[-1]) > 0
    assert [call.path.split("/")[5] for call in bench.cloud.heard("gemini.cache.create")] == [
        "us-central1",
        "europe-west4",
    ]


def test_many_threads_make_one(bench: Bench) -> None:
    async def asked() -> None:
        model = bench.model()
        await asyncio.gather(*(asyncio.to_thread(model.invoke, bench.prompt()) for _ in range(16)))

    asyncio.run(asked())
    bench.caches.settle()
    assert bench.made() == 1
    assert cached_tokens(bench.ask(bench.model())) > 0


def test_at_the_end_a_provider_that_cannot_be_understood_is_asked_once(bench: Bench) -> None:
    bench.warm(bench.model())
    bench.warm(bench.model(region="europe-west4"))
    bench.cloud.faults.add(Kind.GARBLED, "gemini.cache.delete")
    bench.caches.close()
    assert len(bench.cloud.heard("gemini.cache.delete")) == 1
