"""Holds, erasures, retention and requests as Markdown and tables."""

from collections.abc import Sequence
from datetime import datetime

from assistant.panels import Download, Panel, moment, plain, table
from opsplane.approval import Request
from opsplane.custody import Placed, Retention
from opsplane.custody_events import RetentionApplied, RetentionSet
from opsplane.erasure import Receipt
from opsplane.protection import HOLD
from opsplane.requests import Action, Decision, Waiting


def placed(one: Placed) -> Panel:
    """A hold that protects from now on."""
    lines = [
        f"### Hold on {plain(one.hold.customer)}",
        "Nothing of this customer is erased or runs out from now on.",
        f'A second person confirms it: `/approve {one.hold.id}`, or ends it: `/reject {one.hold.id} reason="…"`.',
    ]
    if one.late:
        lines.insert(2, "**An erasure of this customer came before: what was said until then is gone.**")
    return Panel("\n\n".join(lines))


def asked(one: Request, action: Action) -> Panel:
    """A request that waits for a second person."""
    until = f" It lapses on {moment(one.until)} UTC." if one.until else ""
    return Panel(
        f"### Request {plain(one.id)}\n\nYou ask to {plain(_words(one, action))}.{until}\n\n"
        f'A second person decides: `/approve {one.id}` or `/reject {one.id} reason="…"`.'
    )


def retention(one: Retention) -> Panel:
    """The policy, what is due and what is held."""
    lines = ["### Retention", f"Content is kept **{one.years} years**, by calendar month. That can only be lengthened."]
    for request_ in one.asked:
        years = plain(request_.details["years"])
        lines.append(f"{years} years are asked for (request {plain(request_.id)}); until that is decided they count.")
    over = len(one.due.customers)
    lines.append(
        f"{over} customers and staff have content of months before {one.due.before}, which is due. "
        "It is destroyed every night; `/retention apply` does it now."
        if over
        else f"Nothing is due: there is no content of months before {one.due.before} but under hold."
    )
    held = ", ".join(plain(name) for name in one.due.held)
    lines.append(f"Past its time and kept by a hold: {held}." if held else "No hold keeps anything past its time.")
    return Panel("\n\n".join(lines))


def applied(runs: Sequence[RetentionApplied]) -> Panel:
    """What a retention run destroyed."""
    if not runs:
        return Panel("### Retention\n\nNothing is due.")
    total = [sum(getattr(run, name) for run in runs) for name in ("customers", "entries", "exchanges")]
    keys = sum(len(run.keys) for run in runs)
    return Panel(
        f"### Retention\n\nDestroyed {keys} keys of months before {runs[-1].before}: {total[0]} customers and staff, "
        f"{total[1]} entries and {total[2]} exchanges can no longer be read. Kept by a hold: {runs[-1].held} customers."
    )


def waiting(found: Sequence[Waiting], now: datetime) -> Panel:
    """What waits for a second person."""
    if not found:
        return Panel("### Requests\n\nNothing waits for a second person.")
    rows = [
        (
            one.request.id,
            _words(one.request, one.action),
            f"{one.request.maker.id}, {moment(one.request.at)}",
            one.request.reason,
            one.blocked or _next(one, now),
        )
        for one in found
    ]
    return Panel("### Requests\n\n" + table(("Id", "Asks to", "By (UTC)", "Why", "What comes next"), rows))


def request(one: Request, receipt: Receipt | None) -> Panel:
    """One request, and the receipt where it was an erasure that is done."""
    rows = [
        ("Asks to", f"{one.action} {one.subject}" + "".join(f", {name} {it}" for name, it in one.details.items())),
        ("By", f"{one.maker.id} ({one.maker.role.value}), {moment(one.at)} UTC"),
        ("Why", one.reason),
        ("Lapses", moment(one.until)),
        ("Digest", one.digest),
        ("State", one.state.value + (f" by {one.decider.id}, {moment(one.decided)} UTC" if one.decider else "")),
    ]
    if one.answer:
        rows.append(("Because", one.answer))
    return Panel(f"### Request {plain(one.id)}\n\n{table(('', ''), rows)}", _note(receipt))


def approved(one: Decision) -> Panel:
    """A request that was approved and carried out."""
    head = f"### Request {plain(one.request.id)} approved"
    if isinstance(one.result, Receipt):
        return _erased(head, one.result)
    if isinstance(one.result, RetentionSet):
        return Panel(f"{head}\n\nContent is kept {one.result.years} years from now on.")
    done = "The hold is confirmed" if one.request.action == HOLD else "The hold is released"
    return Panel(f"{head}\n\n{done}: {plain(one.request.subject)}.")


def rejected(one: Decision) -> Panel:
    """A request that was rejected or withdrawn."""
    ended = " The hold has ended." if one.request.action == HOLD else ""
    return Panel(f"### Request {plain(one.request.id)} {one.request.state.value}\n\nIt is not carried out.{ended}")


def _erased(head: str, receipt: Receipt) -> Panel:
    erased = receipt.erased
    rows = [
        ("Customer", erased.customer),
        ("Asked for by", erased.requested_by),
        ("Approved by", erased.approved_by),
        ("Keys destroyed", ", ".join(erased.keys) or "none: there was no content"),
        ("Entries", str(erased.entries)),
        ("Exchanges", str(erased.exchanges)),
        ("Conversations cleared", str(erased.conversations)),
        ("What remains", erased.remains),
    ]
    text = f"{head}\n\n{plain(erased.customer)} is erased. The receipt is signed; the record still verifies."
    return Panel(f"{text}\n\n{table(('', ''), rows)}", _note(receipt))


def _note(receipt: Receipt | None) -> Download | None:
    if receipt is None:
        return None
    return Download(f"erasure-{receipt.erased.request}.txt", "text/plain", receipt.note.encode())


def _words(one: Request, action: Action) -> str:
    details = f" to {one.details['years']} years" if "years" in one.details else ""
    return f"{action.words} {one.subject}{details}"


def _next(one: Waiting, now: datetime) -> str:
    if one.request.action == HOLD:
        return "It protects already; a second person confirms it."
    left = max(1, (one.request.until - now).days) if one.request.until else 0
    days = f" within {left} day{'' if left == 1 else 's'}" if left else ""
    return f"A second person decides{days}."
