from assistant.breaker import Breaker, Circuit
from opsplane.release import Resilience
from tests.assistant.upstream import Time

CIRCUIT = Circuit("flash in a region", Resilience(breaker_failures=3, breaker_seconds=30.0))
OTHER = Circuit("flash in another", CIRCUIT.terms)


async def failed(breaker: Breaker, times: int = 3) -> None:
    for _ in range(times):
        assert await breaker.admits(CIRCUIT)
        await breaker.settle(CIRCUIT, well=False)


async def test_so_many_failures_in_a_row_close_a_place_and_no_other() -> None:
    breaker = Breaker(Time().clock)
    await failed(breaker)
    assert not await breaker.admits(CIRCUIT)
    assert await breaker.admits(OTHER)


async def test_a_success_in_between_begins_the_count_anew() -> None:
    breaker = Breaker(Time().clock)
    await failed(breaker, 2)
    await breaker.settle(CIRCUIT, well=True)
    await failed(breaker, 2)
    assert await breaker.admits(CIRCUIT)


async def test_after_its_time_one_call_tries_the_place_and_the_others_wait() -> None:
    time = Time()
    breaker = Breaker(time.clock)
    await failed(breaker)
    time.now += 29.9
    assert not await breaker.admits(CIRCUIT)
    time.now += 0.1
    assert [await breaker.admits(CIRCUIT) for _ in range(3)] == [True, False, False]


async def test_what_the_one_call_finds_decides() -> None:
    time = Time()
    breaker = Breaker(time.clock)
    await failed(breaker)
    time.now += 30
    await failed(breaker, 1)
    assert not await breaker.admits(CIRCUIT)
    time.now += 30
    assert await breaker.admits(CIRCUIT)
    await breaker.settle(CIRCUIT, well=True)
    assert [await breaker.admits(CIRCUIT) for _ in range(3)] == [True] * 3


async def test_a_call_that_was_cancelled_tells_nothing() -> None:
    time = Time()
    breaker = Breaker(time.clock)
    await failed(breaker)
    time.now += 30
    assert await breaker.admits(CIRCUIT)
    breaker.leave(CIRCUIT)
    assert await breaker.admits(CIRCUIT)


async def test_calls_that_end_after_it_opened_change_nothing() -> None:
    breaker = Breaker(Time().clock)
    await failed(breaker)
    await breaker.settle(CIRCUIT, well=True)
    await breaker.settle(CIRCUIT, well=False)
    assert not await breaker.admits(CIRCUIT)
