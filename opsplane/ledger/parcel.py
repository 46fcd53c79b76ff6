"""The files of an export, written as entries come by; what cannot be read is said in its place."""

import base64
import csv
import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from opsplane.errors import PlaneError
from opsplane.events import QuestionAnswered, QuestionReceived, approver, in_force
from opsplane.exchange import Exchange
from opsplane.ledger import report
from opsplane.ledger.proofs import Inclusion, proof_line
from opsplane.ledger.report import Cover, Turn
from opsplane.ledger.store import Entry, opened
from opsplane.ledger.verifier.lines import COLUMNS
from opsplane.sheet import harmless
from opsplane.state import CONTROL

HISTORY = (
    *("ledger_opened", "ledger_imported", "signing_key_added", "record_verified", "record_exported"),
    *CONTROL,
    *("service_started", "service_stopped", "alert_raised", "alert_undelivered"),
    *("request_made", "request_decided"),
    *("erasure_begun", "erasure_stopped", "customer_erased", "retention_set", "retention_applied"),
)
"""The kinds of event that the page tells beside the exchanges."""
LISTED = 2_000
"""At most so many of them are told on the page."""
SHEET = (
    *("exchange", "at", "customer", "signed_in_as", "outcome", "code", "release", "digest", "tier", "model"),
    *("input_tokens", "output_tokens", "cost_micros", "total_ms", "question", "answer"),
)


_FILES = ("entries", "content", "passages", "proofs")


class Parcel:
    """Writes the files into a folder; close it before they are read. `texts` gives the texts of passages by hash."""

    def __init__(self, folder: Path, texts: Callable[[Iterable[str]], dict[str, str]]) -> None:
        self._folder, self._texts = folder, texts
        self._open = ExitStack()
        self._lines = {name: self._file(f"{name}.jsonl") for name in _FILES}
        sheet = self._file("exchanges.csv")
        sheet.write("\ufeff")  # tells spreadsheets that it is UTF-8
        self._sheet = csv.writer(sheet)
        self._sheet.writerow(SHEET)
        self._begun: dict[str, Exchange] = {}
        self._told: dict[str, Exchange] = {}
        self._stories: dict[str, list[Entry]] = {}
        self._history: list[Entry] = []
        self._promoted: dict[str, str] = {}  # who put a release in force, by digest
        self._approved: dict[str, str] = {}  # the same by exchange, as it was then
        self._passages: set[str] = set()
        self.entries = self.exchanges = 0

    def put(self, row: Any, secret: bytes | None, proof: tuple[Inclusion, int, bytes] | None) -> None:
        """Write one row of the entry table; `secret` is its key's, None where that was destroyed."""
        self.entries += 1
        self._line("entries", _row(row))
        if proof:
            self._line("proofs", proof_line(*proof))
        try:
            entry = opened(row, secret)
        except (PlaneError, ValueError, KeyError, TypeError) as error:
            self._line("content", {"seq": row.seq, "unreadable": type(error).__name__})
            return
        if row.key:
            erased = {} if secret else {"erased": True}
            self._line("content", {"seq": row.seq, **erased, "event": entry.event.model_dump(mode="json")})
        self._note(entry, row.exchange)

    def finish(self, cover: Cover) -> None:
        """Write what could only be written at the end, and close every file."""
        for exchange in self._begun.values():
            self._sheet.writerow(_cells(exchange))
        turns = [Turn(one, self._stories[name], self._approved[name]) for name, one in self._told.items()]
        with (self._folder / "report.html").open("w", encoding="utf-8") as stream:
            stream.writelines(report.page(cover, self._history, turns))
        self._open.close()

    def close(self) -> None:
        """Let go of the files."""
        self._open.close()

    def _note(self, entry: Entry, exchange: str) -> None:
        event = entry.event
        if event.kind in HISTORY and len(self._history) < LISTED:
            self._history.append(entry)
        for digest in in_force(event):
            who = f"{entry.actor.id} ({entry.actor.role.value})" + (f", {by} agreed" if (by := approver(event)) else "")
            why = getattr(event, "reason", "")
            self._promoted[digest] = f"{entry.at:%Y-%m-%d %H:%M:%S} UTC by {who}: {why}"
        if isinstance(event, QuestionReceived | QuestionAnswered):
            self._turn(event)
        if exchange in self._stories:
            self._stories[exchange].append(entry)

    def _turn(self, event: QuestionReceived | QuestionAnswered) -> None:
        whole, name = self._whole(event.exchange), event.exchange.id
        if isinstance(event, QuestionReceived):
            self.exchanges += 1
            self._begun[name] = whole
            if len(self._told) < report.MOST:
                self._stories[name] = []
                self._approved[name] = self._promoted.get(whole.digest, "nobody on this record")
        else:
            self._begun.pop(name, None)
            self._sheet.writerow(_cells(whole))
        if name in self._stories:
            self._told[name] = whole

    def _whole(self, exchange: Exchange) -> Exchange:
        """The exchange with the texts of its passages, which are written once."""
        missing = {one.sha256 for one in exchange.evidence if not one.text}
        if not missing:
            return exchange
        texts = self._texts(missing)
        for name in sorted(texts.keys() - self._passages):
            self._line("passages", {"sha256": name, "text": texts[name]})
        self._passages |= texts.keys()
        evidence = (one.model_copy(update={"text": one.text or texts.get(one.sha256, "")}) for one in exchange.evidence)
        return exchange.model_copy(update={"evidence": tuple(evidence)})

    def _line(self, name: str, value: dict[str, Any]) -> None:
        self._lines[name].write(json.dumps(value) + "\n")

    def _file(self, name: str) -> TextIO:
        return self._open.enter_context((self._folder / name).open("w", encoding="utf-8", newline=""))


def _row(row: Any) -> dict[str, Any]:
    """An entry as the verifier reads it back: the very bytes of the payload as text, the others in base64 and hex."""
    values = dict(zip(COLUMNS, row, strict=True))
    values["payload"] = bytes(values["payload"]).decode("utf-8", "surrogateescape")
    values["sealed"] = base64.b64encode(bytes(values["sealed"])).decode()
    values["hash"] = bytes(values["hash"]).hex()
    return values


def _cells(one: Exchange) -> list[str]:
    route = (one.route.tier.value, one.route.model) if one.route else ("", "")
    who = (one.id, one.at.isoformat(), one.customer, one.actor.id, one.outcome.value, one.code, one.release, one.digest)
    counts = (one.usage.input, one.usage.output, one.cost_micros, one.total_ms)
    return [harmless(value) for value in (*who, *route, *counts, one.question, one.answer)]
