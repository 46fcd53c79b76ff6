"""An event as it goes on the record: a public part for good, and a private part under the customer's key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from opsplane.access import Actor
from opsplane.events import EVENTS, KINDS, Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC, as the tables hold times; `at` must carry its time zone."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """The UTC time of a column of microseconds."""
    return _EPOCH + timedelta(microseconds=at)


def period(at: int) -> str:
    """The calendar month (UTC) whose key seals what happened then, e.g. "2026-11"."""
    when = moment(at)
    return f"{when.year:04}-{when.month:02}"


@dataclass(frozen=True, slots=True)
class Line:
    """One event before it is sealed and chained. `private` is JSON, empty where there is nothing to seal."""

    at: int
    kind: str
    actor: str
    role: str
    exchange: str
    subject: str
    payload: bytes
    private: bytes

    def aad(self, key: str) -> bytes:
        """What the sealed part is bound to, so that it cannot be moved to another row."""
        return aad(self.kind, self.exchange, self.subject, key)


def aad(kind: str, exchange: str, subject: str, key: str) -> bytes:
    """The additional authenticated data of a sealed part."""
    return f"{kind}\n{exchange}\n{subject}\n{key}".encode()


def line(event: Event, actor: Actor, at: datetime, *, exchange: str = "", subject: str = "") -> Line:
    """The event split in two. Without a customer the words belong to the person who acts."""
    private = event.model_dump_json(include=event.private).encode() if event.private else b""
    public = event.model_dump_json(exclude=event.private or None).encode()
    about = subject or (_staff(actor) if private else "")
    return Line(
        at=micros(at),
        kind=event.kind,
        actor=_one_line(actor.id),
        role=actor.role.value,
        exchange=_one_line(exchange),
        subject=_one_line(about),
        payload=public,
        private=private,
    )


def join(payload: bytes, private: bytes | None) -> Event:
    """The event again; `private` is None where its key was destroyed, empty where nothing was sealed."""
    values = json.loads(payload)
    if private:
        values = _merged(values, json.loads(private))
    elif private is None:
        values = _merged(KINDS[values["kind"]].erased, values)
    return EVENTS.validate_python(values)


def _staff(actor: Actor) -> str:
    return f"@{actor.id}"


def _one_line(text: str) -> str:
    """Header fields are separated by line ends when they are hashed, so none may hold one."""
    return text.replace("\n", " ")


def _merged(below: Any, above: Any) -> Any:
    """Mappings key by key and lists item by item; elsewhere `above` counts."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return {**below, **{key: _merged(below[key], above[key]) if key in below else above[key] for key in above}}
    if isinstance(below, list) and isinstance(above, list) and len(below) == len(above):
        return [_merged(one, other) for one, other in zip(below, above, strict=True)]
    return above
