"""The beginning of prompts that a provider keeps: made where it pays, shared, renewed, found again, let go."""

import hashlib
import json
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from functools import cached_property
from itertools import islice
from math import ceil, inf
from typing import Any

from langchain_core.messages import AIMessage

from opsplane.exchange import Used
from opsplane.release import Caching
from opsplane.spend import Prices, Purpose, Usage, calls_that_pay

log = logging.getLogger(__name__)

MARK = "opsplane_cache"
"""Where a message's metadata says what was bought for keeping its prompt's beginning."""
LEAST = 2_048
"""Tokens that Vertex AI keeps at least (its page on context caching, read in November 2026)."""
NOTHING = Usage()
REST = 600.0
"""Seconds for which nothing is tried again after the provider refused."""
_TIMEOUT = 10_000  # milliseconds that a call about a cache may take; no customer waits for it
_LISTED = 1_000  # caches of a project that are looked through for one of ours
_ENTRIES = 64  # beginnings known at a time: tiers, regions and releases
_NEVER = 10_000  # more calls than this in a cache's time are not expected


@dataclass(frozen=True)
class Beginning:
    """What stands at the start of every prompt: the release's words and the tools. No customer's words can be in it.

    `turns` are role (user, model) and text of the examples, `tools` their declarations as the provider reads them.
    """

    model: str
    region: str
    system: str
    turns: tuple[tuple[str, str], ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def name(self) -> str:
        """By what it is found again: equal beginnings, equal names, in every process."""
        said = json.dumps([self.model, self.region, self.system, self.turns, self.tools], sort_keys=True)
        return f"opsplane-{hashlib.sha256(said.encode()).hexdigest()[:40]}"

    @property
    def contents(self) -> list[dict[str, Any]]:
        """The examples as the provider reads them."""
        return [{"role": role, "parts": [{"text": text}]} for role, text in self.turns]

    @property
    def told(self) -> dict[str, Any]:
        """System instruction and tools as the provider reads them."""
        return {"system_instruction": self.system} | ({"tools": list(self.tools)} if self.tools else {})


@dataclass(frozen=True)
class Wanted:
    """A beginning that is to be kept: with whose client, as which of the price table's models, and for how long.

    `owner` is the chat model itself, which closes its client when nobody holds it any more.
    """

    owner: Any = field(compare=False)
    beginning: Beginning
    model: str
    caching: Caching


@dataclass(frozen=True)
class Kept:
    """A cache at the provider; `expires` is seconds since 1970, `own` that this process made it."""

    name: str
    tokens: int
    expires: float
    own: bool


class Step(Enum):
    """What is due for a cache."""

    MAKE = "make"
    RENEW = "renew"


def spare(ttl: int) -> float:
    """So many seconds before its end a cache counts as gone, since a call under way must not lose it."""
    return min(30.0, ttl / 20)


def due(kept: Kept | None, recent: deque[float], now: float, ttl: int) -> Step | None:
    """What to do at a call, from the times of the latest calls: as many as must come within `ttl` to pay.

    A cache is made once so many calls came without one, so that a quiet night costs nothing and what is spent in vain
    is never more than what waiting had cost. It is renewed in the second half of its time, under the same condition.
    """
    if len(recent) < (recent.maxlen or inf) or now - recent[0] > ttl:
        return None
    if kept is None:
        return Step.MAKE
    return Step.RENEW if kept.expires - now <= ttl / 2 else None


@dataclass
class _Entry:
    """What is known of one beginning."""

    wanted: Wanted
    recent: deque[float]
    kept: Kept | None = None
    tokens: int = 0  # as the provider counts them; 0: not asked yet
    busy: bool = False  # something is being done for it
    rests: float = 0.0  # until then nothing is tried
    lost: float = -inf  # when a cache was last said to be unusable
    spoilt: str = ""  # its name
    owed: Usage = NOTHING  # bought and not told yet


class PrefixCaches:
    """The caches of this process, for all turns, threads and event loops.

    No call waits for a cache: it uses the one that is there, and what is due is done beside it. Two processes may make
    the same one at once; both then work. Each lets go of those that it made itself.
    """

    def __init__(self, prices: Prices, clock: Callable[[], float] = time.time, least: int = LEAST) -> None:
        self._prices = prices
        self._clock = clock
        self._least = least
        self._entries: OrderedDict[tuple[str, int], _Entry] = OrderedDict()
        self._made: dict[str, tuple[Any, float]] = {}  # by name: who made it, and when it ends
        self._unbooked: list[Used] = []
        self._lock = threading.Lock()
        self._workers = ThreadPoolExecutor(2, "prefix-cache")
        self._running: set[Future[None]] = set()
        self._closed = False

    def use(self, wanted: Wanted) -> str | None:
        """The name of the cache that a call now may use, or None; what is due is begun. Never waits, never raises."""
        now = self._clock()
        with self._lock:
            entry = self._entry(wanted)
            if entry is None or self._closed:
                return None
            entry.recent.append(now)
            ttl = wanted.caching.ttl_seconds
            if entry.kept and entry.kept.expires - spare(ttl) <= now:
                entry.kept = None
            step = due(entry.kept, entry.recent, now, ttl)
            self._begin(step, entry, now)
            return entry.kept.name if entry.kept else None

    def lost(self, wanted: Wanted, name: str) -> None:
        """A call was told that this cache is gone or cannot be used: another is made, once in ten minutes."""
        now = self._clock()
        with self._lock:
            entry = self._entry(wanted)
            if entry is None or entry.kept is None or entry.kept.name != name:
                return
            entry.kept, entry.spoilt = None, name
            if now - entry.lost < REST:
                entry.rests = now + REST
            entry.lost = now
            if not self._closed:
                self._begin(Step.MAKE, entry, now)

    def take(self, wanted: Wanted) -> Usage:
        """What was bought for it and is not booked yet; who takes it books it, or gives it back."""
        with self._lock:
            entry = self._entry(wanted)
            owed = entry.owed if entry else NOTHING
            if entry:
                entry.owed = NOTHING
        return owed

    def give_back(self, wanted: Wanted, owed: Usage) -> None:
        """The call that was to tell it did not come to its end."""
        with self._lock:
            entry = self._entry(wanted)
            if entry:
                entry.owed = entry.owed.plus(owed)

    def settle(self) -> None:
        """Wait until nothing is under way any more."""
        with self._lock:
            running = set(self._running)
        wait_for(running)

    def close(self) -> tuple[Used, ...]:
        """Let go of every cache that this process made; what was bought and not booked is returned."""
        with self._lock:
            self._closed = True
        self._workers.shutdown(wait=True, cancel_futures=True)
        for name, (owner, _) in self._made.items():
            try:
                owner.client.caches.delete(name=name, config=_limited({}))
            except Exception as error:  # noqa: BLE001 - logged here; the cache ends by itself then
                log.info("the context cache %s could not be deleted: %s", name, error)
                if not getattr(error, "code", 0):  # no answer that means anything: the others would only take time
                    break
        self._made.clear()
        for entry in self._entries.values():
            self._forget(entry)
        unbooked, self._unbooked = self._unbooked, []
        return tuple(unbooked)

    def _forget(self, entry: _Entry) -> None:
        if entry.owed != NOTHING:
            self._unbooked.append(_bill(entry.owed, entry.wanted.model, entry.wanted.beginning.region))
            entry.owed = NOTHING

    def _entry(self, wanted: Wanted) -> _Entry | None:
        """What is known of a beginning, with the client that asks now; None where keeping it can never pay."""
        key = (wanted.beginning.name, wanted.caching.ttl_seconds)
        if key not in self._entries:
            calls = self._calls(wanted)
            if calls is None or calls > _NEVER:
                return None
            self._entries[key] = _Entry(wanted, deque(maxlen=calls))
            while len(self._entries) > _ENTRIES:
                self._forget(self._entries.popitem(last=False)[1])
        self._entries.move_to_end(key)
        self._entries[key].wanted = wanted
        return self._entries[key]

    def _calls(self, wanted: Wanted) -> int | None:
        """The calls that pay for it; where the table does not say what keeping costs, the first."""
        rates = self._prices.rates(wanted.model, wanted.beginning.region)
        if rates is None or rates.storage is None:
            return 1
        return calls_that_pay(rates, wanted.caching.ttl_seconds)

    def _begin(self, step: Step | None, entry: _Entry, now: float) -> None:
        if step is None or entry.busy or now < entry.rests:
            return
        entry.busy = True
        running = self._workers.submit(self._work, step, entry)
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    def _work(self, step: Step, entry: _Entry) -> None:
        wanted, now = entry.wanted, self._clock()
        kept, owed, rests = entry.kept, NOTHING, 0.0
        try:
            if step is Step.RENEW and kept:
                kept, owed = _renewed(wanted, kept, now)
            elif entry.tokens or self._long_enough(entry):
                kept, owed = _found_or_made(wanted, entry.tokens, now, entry.spoilt)
            else:
                rests = inf
        except Exception as error:  # noqa: BLE001 - logged here; of whatever kind, the call goes without a cache
            log.warning("%s: its prompt's beginning is not kept by the provider: %s", wanted.model, error)
            rests = now + REST
        with self._lock:
            if kept and kept.own:
                self._made[kept.name] = wanted.owner, kept.expires
            self._made = {name: made for name, made in self._made.items() if made[1] > now}
            entry.kept = None if kept and kept.name == entry.spoilt else kept
            entry.owed = entry.owed.plus(owed)
            entry.rests, entry.busy = max(entry.rests, rests), False

    def _long_enough(self, entry: _Entry) -> bool:
        """Whether the provider counts as many tokens as the release and it itself ask for; it is asked once."""
        entry.tokens = _counted(entry.wanted)
        least = max(entry.wanted.caching.least_tokens, self._least)
        if entry.tokens >= least:
            return True
        log.info("%s: %s tokens are too few to be kept; %s are needed", entry.wanted.model, entry.tokens, least)
        entry.tokens = 0
        return False


def _counted(wanted: Wanted) -> int:
    """How many tokens a beginning has, as the provider counts them."""
    one = wanted.beginning
    config = dict(one.told)
    contents = one.contents or [{"role": "user", "parts": [{"text": config.pop("system_instruction")}]}]
    told = wanted.owner.client.models.count_tokens(model=one.model, contents=contents, config=_limited(config))
    return int(told.total_tokens or 0)


def _found_or_made(wanted: Wanted, tokens: int, now: float, spoilt: str) -> tuple[Kept, Usage]:
    """The cache that another process or an earlier run left, else a new one, and what was bought."""
    one, ttl = wanted.beginning, wanted.caching.ttl_seconds
    listed = islice(wanted.owner.client.caches.list(config=_limited({"page_size": 100})), _LISTED)
    ours = [(_ends(cache, now), cache) for cache in listed if cache.display_name == one.name and cache.name != spoilt]
    ends, found = max(ours, key=lambda item: item[0], default=(0.0, None))
    if found and ends - spare(ttl) > now:
        return Kept(str(found.name), _held(found, tokens), ends, own=False), NOTHING
    config = {**one.told, "contents": one.contents or None, "display_name": one.name, "ttl": f"{ttl}s"}
    made = wanted.owner.client.caches.create(model=one.model, config=_limited(config))
    held = _held(made, tokens)
    return Kept(str(made.name), held, _ends(made, now + ttl), own=True), Usage(input=held, stored=held * ttl)


def _renewed(wanted: Wanted, kept: Kept, now: float) -> tuple[Kept | None, Usage]:
    """The cache with a new end, and what that cost: nothing where another process was here before."""
    ttl, caches = wanted.caching.ttl_seconds, wanted.owner.client.caches
    try:
        ends = _ends(caches.get(name=kept.name, config=_limited({})), kept.expires)
        if ends - now > ttl / 2:
            return replace(kept, expires=ends), NOTHING
        later = _ends(caches.update(name=kept.name, config=_limited({"ttl": f"{ttl}s"})), now + ttl)
    except Exception as error:
        if getattr(error, "code", 0) != _GONE:
            raise
        log.info("%s: the context cache %s is gone", wanted.model, kept.name)
        return None, NOTHING
    return replace(kept, expires=later), Usage(stored=kept.tokens * max(0, ceil(later - ends)))


_GONE = 404


def _limited(config: Mapping[str, Any]) -> dict[str, Any]:
    return {**config, "http_options": {"timeout": _TIMEOUT}}


def _ends(cache: Any, otherwise: float) -> float:
    expires: datetime | None = cache.expire_time
    return expires.timestamp() if expires else otherwise


def _held(cache: Any, counted: int) -> int:
    usage = cache.usage_metadata
    return int(usage.total_token_count) if usage and usage.total_token_count else counted


def told(owed: Usage) -> dict[str, Any]:
    """What was bought, as it stands in a message's metadata; empty where nothing was."""
    return {MARK: {"tokens": owed.input, "token_seconds": owed.stored}} if owed != NOTHING else {}


def bought(message: AIMessage, model: str, region: str = "") -> Iterator[Used]:
    """What a message says was bought for keeping its prompt's beginning, to be booked on an account of its own."""
    said = message.response_metadata.get(MARK)
    if said:
        yield _bill(Usage(input=said["tokens"], stored=said["token_seconds"]), model, region)


def _bill(owed: Usage, model: str, region: str) -> Used:
    return Used(model=model, usage=owed, region=region, purpose=Purpose.CACHE)
