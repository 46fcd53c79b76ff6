"""What reviewers read and take with them: /audit, /exchange, /export; and the state of the proof: /verify."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from assistant import arguments, audit_panels, proof_panels
from assistant.desk import Command, Desk
from assistant.panels import Download, Panel
from opsplane import attestation, oversight
from opsplane.access import Actor, Role
from opsplane.control import refusals
from opsplane.errors import InvalidRequest
from opsplane.exchange import Outcome, Tier
from opsplane.ledger import audit
from opsplane.ledger.audit import AuditQuery
from opsplane.ledger.export import Purpose, Selection
from opsplane.ledger.readonly import open_readonly
from opsplane.ledger.store import Ledger
from opsplane.ledger.verify import Mode, Trust, Verification, verify

IN_FILE = 1_000
"""Rows of the file that goes with a page; `csv=all` asks for `audit.MOST`."""

FILTERS = tuple(name for name in AuditQuery.model_fields if name != "size")
"""What a search can be narrowed by."""

_HINTS = {
    "since": "a day like 2026-11-23",
    "until": "a day like 2026-11-23",
    "outcome": f"one of {', '.join(Outcome)}",
    "route": f"one of {', '.join(Tier)}",
    "rating": "up or down",
    "reviewed": "yes or no",
    "page": "a whole number from 1",
}


async def _audit(given: str, actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "audit", given[:200], actor, "The filters could not be read."):
        actor.must_be(Role.REVIEWER)
        values = dict(arguments.filters(given, (*FILTERS, "csv")))
        most = _rows(values.pop("csv", ""))
        query = parse_query(values)
    file = query.model_copy(update={"page": 1, "size": most})
    found = await oversight.read_audit(desk.ledger, file, given, actor=actor, why=desk.why)
    first = (query.page - 1) * query.size
    if first + query.size <= most or (not found.more and found.total <= most):
        page = replace(found, rows=found.rows[first : first + query.size], page=query.page, size=query.size)
    else:
        page = await oversight.read_audit(desk.ledger, query, given, actor=actor, why=desk.why)
    following = arguments.written((), values | {"page": str(page.page + 1)}) if page.page < page.pages else ""
    return audit_panels.audit(page, following, found.rows)


async def _exchange(given: str, actor: Actor, desk: Desk) -> Panel:
    return audit_panels.exchange(
        await oversight.read_exchange(desk.ledger, desk.notary, given.strip(), actor=actor, why=desk.why)
    )


async def _export(given: str, actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "export", given[:200], actor, "What to export could not be read."):
        actor.must_be(Role.REVIEWER)
        values = dict(arguments.filters(given, (*FILTERS, "exchange")))
        selection = await asyncio.to_thread(_selection, desk.ledger, values)
    purpose = Purpose(actor, desk.why)
    content, done = await attestation.take_bundle(desk.ledger, desk.notary, selection, purpose)
    name = f"record-{done.manifest[:12]}.zip"
    return replace(proof_panels.exported(done), download=Download(name, "application/zip", content))


async def _verify(given: str, actor: Actor, desk: Desk) -> Panel:
    async with refusals(desk.ledger, "verify", given[:40], actor):
        actor.must_be(*attestation.READERS)
        if given.strip() not in ("", "full"):
            raise InvalidRequest("/verify looks at what is new since the last full verification, /verify full at all.")
        mode = Mode.FULL if given.strip() else Mode.INCREMENTAL
        found = await asyncio.to_thread(_verified, desk, mode)
    await attestation.verified(desk.ledger, found, actor=actor)
    return proof_panels.verification(found)


_READER = (Role.REVIEWER,)
_WANTED = (
    "[customer=…] [since=2026-11-01] [until=…] [outcome=…] [rule=…] [release=…] [model=…] [route=flash|pro] "
    '[cost=0.01-0.05] [score=0-50] [rating=up|down] [reviewed=yes|no] [text="…"]'
)
COMMANDS: tuple[Command, ...] = (
    Command(
        "audit",
        f"/audit {_WANTED} [page=…] [csv=all]",
        "Search the record; the table can be downloaded as CSV",
        "list-filter",
        _READER,
        _audit,
        reads=True,
    ),
    Command("exchange", "/exchange <id>", "Everything about one turn", "file-search", _READER, _exchange, reads=True),
    Command(
        "export",
        f"/export {_WANTED} [exchange=<id>]",
        "A signed copy of what fits, with proofs and a verifier, as a zip file",
        "file-archive",
        _READER,
        _export,
        reads=True,
    ),
    Command(
        "verify",
        "/verify [full]",
        "Whether the record is sound: chain, tree, signed checkpoints",
        "shield-check",
        attestation.READERS,
        _verify,
    ),
)


def parse_query(values: Mapping[str, str]) -> AuditQuery:
    """Filters as a query; raise `InvalidRequest` that names the filter and says what it takes."""
    try:
        return AuditQuery.model_validate(dict(values))
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]) if problem["loc"] else "filters"
        said = problem["msg"].removeprefix("Value error, ")
        wanted = f"must be {_HINTS[name]}" if name in _HINTS else said
        raise InvalidRequest(f"{name}={str(values.get(name, ''))[:40]}: {wanted}") from error


def _selection(ledger: Ledger, values: dict[str, str]) -> Selection:
    """What to export; raise `InvalidRequest` for more than a chat can hand over."""
    chosen = values.pop("exchange", "")
    exchanges = (audit.complete_id(ledger, chosen),) if chosen else ()
    query = parse_query(values) if values else None
    if not exchanges and query is None:
        raise InvalidRequest("Name at least one filter. The whole ledger is copied by: opsplane audit export FOLDER")
    if query and audit.count(ledger, query, audit.MOST + 1) > audit.MOST:
        raise InvalidRequest(
            f"More than {audit.MOST:,} exchanges fit. Narrow the filters, or use: opsplane audit export FOLDER filters…"
        )
    return Selection(query, exchanges)


def _verified(desk: Desk, mode: Mode) -> Verification:
    desk.ledger.settle()
    engine = open_readonly(desk.ledger.engine.url.render_as_string(hide_password=False))
    try:
        return verify(engine, Trust(desk.notary.anchor), desk.ledger.clock(), mode, lambda *_: None)
    finally:
        engine.dispose()


def _rows(wanted: str) -> int:
    if wanted not in ("", "all"):
        raise InvalidRequest(f"csv={wanted[:40]}: the only value is `all`, for up to {audit.MOST:,} rows.")
    return audit.MOST if wanted else IN_FILE
