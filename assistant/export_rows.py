"""Entries of the record as rows of BigQuery's tables. Pure; the same entry gives the same number of rows for ever.

What is public on an entry never changes, so rows of it never do. Words are taken from what is sealed while the key is
there, and are NULL afterwards. Times are microseconds, days count from 1970, as the Storage Write API wants them.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from assistant.bigquery_tables import COSTS, EVENTS, EXCHANGES, SCORES, WORDS
from opsplane.errors import RecordUnavailable
from opsplane.ledger.seal import aad, micros, moment
from opsplane.ledger.vault import unseal

log = logging.getLogger(__name__)

Row = dict[str, Any]
LONGEST = 1_000_000
"""Bytes of a payload that are sent; of a longer one its length and its hash are."""
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Maker:
    """What rows are made with: the ledger's name, the secret behind pseudonyms, the bank's time zone, the time now."""

    ledger: str
    secret: bytes
    zone: tzinfo
    now: int

    def pseudonym(self, customer: str) -> str:
        """A name for a customer that tells nothing without the installation's secret; empty for nobody."""
        if not customer:
            return ""
        return hmac.new(self.secret, customer.encode(), hashlib.sha256).hexdigest()[:32]

    def rows(self, table: str, entry: Any, secret: bytes | None) -> list[Row]:
        """The rows of one table that an entry makes; `secret` is the key its words are sealed with, while it lives."""
        payload = json.loads(bytes(entry.payload))
        return _MAKERS[table](self, entry, payload, secret)

    def place(self, entry: Any, at: int | None = None) -> Row:
        """What every row begins with; `at` where it did not happen when it was recorded."""
        moment_ = entry.at if at is None else at
        day = moment(moment_).astimezone(self.zone).toordinal() - _EPOCH_DAY
        hash_ = bytes(entry.hash).hex()
        return {"ledger": self.ledger, "seq": entry.seq, "entry_hash": hash_, "day": day, "happened_at": moment_}


def _exchanges(maker: Maker, entry: Any, payload: Any, _: bytes | None) -> list[Row]:
    one = payload["exchange"]
    route, findings = one["route"] or {}, one["findings"]
    row = maker.place(entry, _micros(one["at"])) | {
        "ended_at": entry.at,
        "exchange": one["id"],
        "conversation": one["conversation"],
        "customer": maker.pseudonym(one["customer"]),
        "index_name": one.get("index", ""),
        "generation": one.get("generation", ""),
        "tier": route.get("tier", ""),
        "model": route.get("model", ""),
        "region": route.get("region", ""),
        "route_reason": route.get("reason", ""),
        "reroutes": len(one.get("reroutes", ())),
        "cost_micros": one["cost_micros"],
        "prices": one["prices"],
        "first_sentence_ms": one["first_sentence_ms"],
        "total_ms": one["total_ms"],
        "share": one.get("share", 0),
        "flags": sorted({finding["code"] for finding in findings}),
        "withheld": sum(finding["action"] == "withhold" for finding in findings),
    }
    named = ("release", "digest", "arm", "rollout", "outcome", "code", "topic")
    return [row | _tokens(one["usage"]) | {name: one.get(name, "") for name in named}]


def _words(maker: Maker, entry: Any, payload: Any, secret: bytes | None) -> list[Row]:
    one = payload["exchange"]
    question, answer = _told(entry, secret)
    row = maker.place(entry, _micros(one["at"])) | {
        "exchange": one["id"],
        "customer": maker.pseudonym(one["customer"]),
        "key": entry.key,
        "question": question,
        "answer": answer,
        "written": maker.now,
        "erased": maker.now if secret is None else None,
    }
    return [row]


def _told(entry: Any, secret: bytes | None) -> tuple[str | None, str | None]:
    """What was asked and answered, or nothing where the key is gone or the words do not authenticate."""
    if secret is None:
        return None, None
    try:
        private = unseal(secret, aad(entry.kind, entry.exchange, entry.subject, entry.key), bytes(entry.sealed))
    except RecordUnavailable as error:  # the audit finds and names it too; the other rows must go on
        log.error("the words of entry %s are not exported: %s", entry.seq, error)
        return None, None
    one = json.loads(private)["exchange"]
    answer = " ".join(sentence["text"] for sentence in one["sentences"])
    return one["question"][:LONGEST], answer[:LONGEST]


def _events(maker: Maker, entry: Any, payload: Any, _: bytes | None) -> list[Row]:
    customer = "" if entry.subject.startswith("@") else entry.subject
    shown = json.dumps(_without_names(payload, maker, customer), ensure_ascii=False)
    size = len(shown.encode())
    if size > LONGEST:
        shown = json.dumps({"bytes": size, "sha256": hashlib.sha256(bytes(entry.payload)).hexdigest()})
    row = maker.place(entry) | {
        "kind": entry.kind,
        "actor": maker.pseudonym(entry.actor) if entry.role == "customer" else entry.actor,
        "role": entry.role,
        "exchange": entry.exchange,
        "customer": maker.pseudonym(customer),
        "payload": shown,
    }
    return [row]


def _without_names(value: Any, maker: Maker, customer: str) -> Any:
    """The same with every customer's id, and sign-in name, as a pseudonym."""
    if isinstance(value, Mapping):
        signed_in = value.get("role") == "customer"
        return {
            name: maker.pseudonym(one)
            if isinstance(one, str) and (name == "customer" or (signed_in and name in ("id", "name")))
            else _without_names(one, maker, customer)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_without_names(one, maker, customer) for one in value]
    return maker.pseudonym(customer) if customer and value == customer else value


def _scores(maker: Maker, entry: Any, payload: Any, _: bytes | None) -> list[Row]:
    source = {"exchange_reviewed": "reviewer", "feedback_given": "customer"}.get(entry.kind, "judge")
    base = maker.place(entry) | {
        "exchange": payload["exchange"],
        "source": source,
        "scorer": payload.get("scorer", entry.actor if source == "reviewer" else ""),
        "verdict": payload.get("verdict", ""),
        "reason": payload.get("reason", payload.get("stratum", "")),
        "topic": payload.get("topic", ""),
    }
    thumb = payload.get("value")
    overall = payload.get("score") if source != "customer" or thumb is None else 100 * thumb
    measures = {"overall": overall} | dict(sorted(payload.get("measures", {}).items()))
    return [
        base | {"part": part, "measure": measure, "score": score}
        for part, (measure, score) in enumerate(measures.items())
    ]


def _costs(maker: Maker, entry: Any, payload: Any, _: bytes | None) -> list[Row]:
    asked = entry.kind == "question_answered"
    one = payload["exchange"] if asked else payload
    costs = (one.get("costs") or _in_one(one)) if asked else [one["cost"]]
    base = maker.place(entry, _micros(one["at"]) if asked else None) | {
        "exchange": one["id"] if asked else one["exchange"],
        "customer": maker.pseudonym(one["customer"]),
        "release": one["release"],
        "digest": one["digest"],
        "topic": one.get("topic", ""),
    }
    return [
        base
        | {"part": part, "cost_micros": cost["micros"], **_tokens(cost["usage"])}
        | {name: cost.get(name, "") for name in ("purpose", "model", "region", "prices")}
        for part, cost in enumerate(costs)
    ]


def _in_one(exchange: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The cost of an exchange of the record's first schema, which did not tell calls apart; as `projection` has it."""
    if exchange["route"] is None or not any(exchange["usage"].values()):
        return []
    told = {"usage": exchange["usage"], "micros": exchange["cost_micros"], "prices": exchange["prices"]}
    return [told | {"purpose": "answer", "model": exchange["route"]["model"]}]


def _tokens(usage: Mapping[str, int]) -> Row:
    return {f"{name}_tokens": usage.get(name, 0) for name in ("input", "output", "cached", "thinking")}


def _micros(at: str) -> int:
    return micros(datetime.fromisoformat(at))


_MAKERS: Mapping[str, Callable[[Maker, Any, Any, bytes | None], list[Row]]] = {
    EXCHANGES.name: _exchanges,
    EVENTS.name: _events,
    SCORES.name: _scores,
    COSTS.name: _costs,
    WORDS.name: _words,
}
