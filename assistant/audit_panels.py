"""What reviewers read: lists of exchanges and everything about one, as Markdown, tables and files."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from assistant.panels import Download, Panel, cut, dollars, moment, plain, spreadsheet, table
from opsplane.events import ExchangeReviewed, FeedbackGiven, ReleaseRegistered, approver
from opsplane.evidence import Evidence, Origin
from opsplane.exchange import Exchange, Route
from opsplane.finding import Action, Finding
from opsplane.ledger.audit import MOST, AuditPage, AuditRow
from opsplane.ledger.store import Entry
from opsplane.oversight import Case

WHOLE, BEGINNING = 2_500, 200
"""Characters that the panel shows of a source that was cited, and of one that was not; the file holds all of it."""


def audit(page: AuditPage, following: str, everything: Sequence[AuditRow]) -> Panel:
    """A page of exchanges, the command that shows the next one, and a file of more rows than the page holds."""
    if not page.rows:
        return Panel(f"### Audit\n\n{'No such page.' if page.total else 'No exchange fits these filters.'}")
    rows = [
        (
            row.id[:8],
            moment(row.at),
            row.customer,
            row.outcome.value + (f" ({row.code})" if row.code else ""),
            row.release,
            cut(row.question, 60),
            cut(row.answer, 80),
        )
        for row in page.rows
    ]
    parts = [f"### Audit\n\n{_counted(page)}"]
    parts.append(table(("Exchange", "Time (UTC)", "Customer", "Outcome", "Release", "Question", "Answer"), rows))
    if following:
        parts.append(f"Next page: {code(f'/audit {following}')}")
    if page.more or page.total > len(everything):
        parts.append(
            f"The file holds the newest {len(everything):,}; `csv=all` puts up to {MOST:,} in, `/export` everything."
        )
    return Panel("\n\n".join(parts), Download("audit.csv", "text/csv", as_csv(everything)))


def _counted(page: AuditPage) -> str:
    much = "more than " if page.more else ""
    return f"{much}{page.total:,} exchanges, page {page.page} of {page.pages:,}.".capitalize()


def as_csv(rows: Sequence[AuditRow]) -> bytes:
    """Exchanges as CSV."""
    names = tuple(AuditRow.__dataclass_fields__)
    return spreadsheet(names, ([_cell(getattr(row, name)) for name in names] for row in rows))


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else value


def code(text: str) -> str:
    """A command to copy; it may hold backticks itself."""
    run = longest = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def marks(cites: Sequence[int]) -> str:
    """The sources that a sentence cites."""
    return " ".join(f"[{number}]" for number in cites) or "—"


def exchange(case: Case) -> Panel:
    """Everything about one turn; the file holds what the panel cuts."""
    one = case.exchange
    said = [(marks(sentence.cites), sentence.text) for sentence in one.sentences]
    body = [f"### Exchange {plain(one.id[:8])}"]
    if case.erased:
        body.append(f"**The words of this exchange were erased on {plain(moment(case.erased))} UTC.**")
    body += [table(("Field", "Value"), _facts(one)), _release(case)]
    body += ["**Answer as shown**", table(("Sources", "Sentence"), said) if said else "Nothing was shown."]
    if one.withheld:
        rows = [(marks(sentence.cites), sentence.text, _why(sentence.text, one.findings)) for sentence in one.withheld]
        body += ["**Withheld**", table(("Sources", "Sentence", "Why"), rows)]
    if given := ratings(case.story):
        body += ["**The customer's rating**", given]
    body += ["**Reviews**", reviews(case.reviews) if case.reviews else "None yet."]
    if one.tools:
        looked = [(tool.tool, _pairs(tool.arguments), f"[{tool.evidence.number}]") for tool in one.tools]
        body += ["**Account tools read**", table(("Tool", "Arguments", "Source"), looked)]
    body += ["**Findings**", _findings(one.findings), "**Sources**", *_sources(one)]
    body += ["**Cost**", _costs(one), "**On the record**", _entries(case)]
    return Panel("\n\n".join(body), Download(f"exchange-{one.id[:8]}.json", "application/json", as_json(case)))


def as_json(case: Case) -> bytes:
    """The exchange with all its fields, and beside them its events, its release's history and its reviews."""
    told: dict[str, Any] = case.exchange.model_dump(mode="json")
    told["erased"] = case.erased.isoformat() if case.erased else None
    told["release_history"] = [_told(entry) for entry in case.release]
    told["reviews"] = [_told(entry) for entry, _ in case.reviews]
    told["events"] = [_told(entry) for entry in case.story]
    told["proof"] = case.proof.as_json() if case.proof else {"valid": False, "trouble": case.unproven}
    return json.dumps(told, indent=2, ensure_ascii=False).encode()


def ratings(story: Sequence[Entry]) -> str:
    """The customer's thumbs and comments, or nothing where there are none."""
    rows = [
        ({1: "up", 0: "down", None: "taken back"}[entry.event.value], entry.event.comment, moment(entry.at))
        for entry in story
        if isinstance(entry.event, FeedbackGiven)
    ]
    return table(("Thumb", "Comment", "Time (UTC)"), rows) if rows else ""


def reviews(said: Sequence[tuple[Entry, ExchangeReviewed]]) -> str:
    """What reviewers said, oldest first."""
    rows = [
        (
            entry.actor.id,
            moment(entry.at),
            event.verdict.value,
            "" if event.score is None else str(event.score),
            ", ".join(f"{name} {mark}" for name, mark in event.marks.items()),
            event.comment,
            event.corrected,
        )
        for entry, event in said
    ]
    return table(("Reviewer", "Time (UTC)", "Verdict", "Score", "Marks", "Comment", "Corrected answer"), rows)


def _way(route: Route | None) -> str:
    if route is None:
        return "—"
    region = f" in {route.region}" if route.region else ""
    return f"{route.tier.value}, {route.model}{region}: {route.reason}"


def _facts(one: Exchange) -> list[tuple[str, str]]:
    usage = one.usage
    facts = [
        ("Exchange", one.id),
        ("Time (UTC)", moment(one.at)),
        ("Customer", f"{one.customer} (signed in as {one.actor.id})"),
        ("Conversation", one.conversation),
        ("Outcome", one.outcome.value + (f" ({one.code})" if one.code else "")),
        ("Release", f"{one.release}@{one.digest} ({one.arm})"),
        ("Route", _way(one.route)),
        *((f"Rerouted ({each.code})", each.detail) for each in one.reroutes),
        ("Tokens", f"{usage.input} in ({usage.cached} cached), {usage.output} out ({usage.thinking} thinking)"),
        ("First sentence", "—" if one.first_sentence_ms is None else f"{one.first_sentence_ms} ms"),
        ("Total", f"{one.total_ms} ms"),
        ("Question", one.question),
        ("Understood as", one.standalone),
    ]
    return [*facts, ("Error", one.error)] if one.error else facts


_IN_FORCE = {
    "release_promoted": "promoted",
    "release_restored": "rolled back to",
    "rollout_started": "candidate of a rollout",
    "rollout_promoted": "promoted by a rollout",
}


def _release(case: Case) -> str:
    """Who registered and promoted the release that answered, and when."""
    rows = []
    for entry in case.release:
        match entry.event:
            case ReleaseRegistered():
                rows.append(("registered", entry.actor.id, moment(entry.at), ""))
            case event:
                who = entry.actor.id + (f", {by} agreed" if (by := approver(event)) else "")
                rows.append((_IN_FORCE[event.kind], who, moment(entry.at), getattr(event, "reason", "")))
    history = table(("Release was", "By", "Time (UTC)", "Why"), rows) if rows else "Its release is not on this record."
    return f"{history}\n\nWhat the release contains: `/release {case.exchange.digest[:12]}` (operators and approvers)."


def _why(sentence: str, findings: Sequence[Finding]) -> str:
    """The codes of the findings whose words stand in the sentence; those of every sentence are listed as well."""
    withheld = (one for one in findings if one.action is Action.WITHHOLD)
    return ", ".join(dict.fromkeys(one.code for one in withheld if one.span and one.span in sentence)) or "see findings"


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "None."
    rows = [
        (
            one.code,
            one.action.value,
            one.stage,
            cut(one.span, 80),
            "" if one.score is None else f"{one.score:.2f} against {one.threshold}",
            one.detail,
            one.pack,
        )
        for one in findings
    ]
    return table(("Code", "Action", "Stage", "Words", "Score", "Detail", "Pack"), rows)


def _sources(one: Exchange) -> list[str]:
    if not one.evidence:
        return ["None were read."]
    cited = {number for sentence in (*one.sentences, *one.withheld) for number in sentence.cites}
    rows = [
        (
            f"[{source.number}]",
            source.title,
            source.section,
            source.version,
            str(source.effective_from or ""),
            str(source.effective_to or ""),
            source.id[:16],
            source.sha256[:12],
        )
        for source in one.evidence
    ]
    listed = table(("", "Document", "Section", "Version", "In force from", "to", "Id", "SHA-256"), rows)
    texts = [_text(source, cited=source.number in cited) for source in one.evidence]
    return [listed, *texts]


def _text(source: Evidence, *, cited: bool) -> str:
    """The words of a source as they were read: of one that nothing cites only the beginning."""
    most = WHOLE if cited else BEGINNING
    text = cut(source.text, most)
    rest = f" *({len(source.text) - most:,} more characters in the file)*" if len(source.text) > most else ""
    note = "" if cited else " (not cited)"
    kind = "account tool" if source.origin is Origin.TOOL else f"SHA-256 `{source.sha256}`"
    return f"**[{source.number}]**{note} {plain(source.title)}, {kind}\n\n> {plain(text)}{rest}"


def _costs(one: Exchange) -> str:
    rows = [
        (
            cost.purpose.value,
            cost.model,
            f"{cost.usage.input} in, {cost.usage.output} out",
            dollars(cost.micros),
            cost.prices,
        )
        for cost in one.costs
    ]
    total = f"{dollars(one.cost_micros)} in all (price table {plain(one.prices)})."
    return f"{table(('Purpose', 'Model', 'Tokens', 'Cost', 'Price table'), rows)}\n\n{total}" if rows else total


def _entries(case: Case) -> str:
    """The entries of the ledger that tell of it, and whether they stand under a signed checkpoint."""
    included = {one.seq: one for one in case.proof.entries} if case.proof else {}
    rows = []
    for entry in case.story:
        one = included.get(entry.seq)
        proof = "—" if one is None else "proven" if one.fits and one.included else "DOES NOT FIT"
        number, digest = str(entry.seq or "…"), one.hash.hex()[:12] if one else ""
        rows.append((number, moment(entry.at), entry.event.kind, entry.actor.id, digest, proof))
    listed = table(("Entry", "Time (UTC)", "Event", "By", "Hash", "Proof"), rows)
    return f"{listed}\n\n{_proof(case)}"


def _proof(case: Case) -> str:
    proof = case.proof
    if proof is None:
        return f"No proof could be made: {plain(case.unproven)}"
    if proof.valid:
        return f"Every entry is proven to stand under the signed checkpoint of {proof.size:,} entries."
    why = plain(proof.unsigned) or "an entry does not stand as it was written, or under no checkpoint"
    return f"**The proof fails: {why}.** `opsplane audit verify` tells more."


def _pairs(values: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items()) or "—"


def _told(entry: Entry) -> dict[str, Any]:
    return {
        "entry": entry.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor.model_dump(mode="json"),
        "event": entry.event.model_dump(mode="json"),
    }
