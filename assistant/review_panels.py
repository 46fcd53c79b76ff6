"""The reviewers' queue and the coverage report as Markdown, tables and CSV."""

from collections.abc import Mapping, Sequence

from assistant.audit_panels import marks, ratings, reviews
from assistant.panels import Download, Panel, moment, plain, spreadsheet, table
from opsplane.events import ExchangeReviewed
from opsplane.finding import Finding
from opsplane.oversight import Case, Task
from opsplane.review import Coverage, Reason, Share, Verdict, zero_tolerance

_WHY = {
    Reason.ZERO_TOLERANCE: "something that must never happen was tried",
    Reason.THUMBS_DOWN: "the customer gave it a thumb down",
    Reason.FLAGGED: "it failed, something was withheld, nothing found stood up, or somebody attacked",
    Reason.SAMPLED: "drawn by lot",
    Reason.CHOSEN: "a reviewer chose it",
}


def task(one: Task, wanted: str) -> Panel:
    """The exchange to look at, why, and how to decide."""
    queue = waiting(one.waiting)
    if one.case is None:
        which = f" as {plain(wanted)}" if wanted else ""
        return Panel(f"### Review\n\nNothing{which} waits for you.\n\n{queue}")
    case, exchange = one.case, one.case.exchange
    facts = [
        ("Exchange", exchange.id),
        ("Time (UTC)", moment(exchange.at)),
        ("Customer", exchange.customer),
        ("Outcome", exchange.outcome.value + (f" ({exchange.code})" if exchange.code else "")),
        ("Release", exchange.release),
        ("Question", exchange.question),
        ("Understood as", exchange.standalone),
    ]
    said = [(marks(sentence.cites), sentence.text) for sentence in exchange.sentences]
    body = [f"### Review {plain(exchange.id[:8])}", _reason(case), table(("Field", "Value"), facts)]
    body += ["**Answer as shown**", table(("Sources", "Sentence"), said) if said else "Nothing was shown."]
    if exchange.withheld:
        withheld = [(marks(sentence.cites), sentence.text) for sentence in exchange.withheld]
        body += ["**Withheld**", table(("Sources", "Sentence"), withheld)]
    if given := ratings(case.story):
        body += ["**The customer's rating**", given]
    if exchange.findings:
        body += ["**Findings**", _findings(exchange.findings)]
    if case.reviews:
        body += ["**Reviews so far**", reviews(case.reviews)]
    return Panel("\n\n".join([*body, _how(case), queue]))


def decided(event: ExchangeReviewed, left: Mapping[Reason, int]) -> Panel:
    """That a verdict is on the record, and what waits next."""
    score = "" if event.score is None else f", score {event.score}"
    corrected = " The corrected answer is kept with it." if event.corrected else ""
    text = f"**{event.exchange[:8]}** is on the record as **{event.verdict.value}**{score}.{corrected}"
    return Panel(f"### Review\n\n{text}\n\n{waiting(left)}\n\nNext: `/review`")


def waiting(left: Mapping[Reason, int]) -> str:
    """How many exchanges wait, by reason."""
    if not left:
        return "The queue is empty."
    parts = ", ".join(f"{number:,} {reason.value}" for reason, number in left.items())
    return f"**Waiting:** {sum(left.values()):,} ({plain(parts)})"


def coverage(one: Coverage, days: str) -> Panel:
    """What share was reviewed, by whom, and how far reviewers agree."""
    head = f"### Coverage\n\nExchanges {plain(days)}."
    if not one.whole.exchanges:
        return Panel(f"### Coverage\n\nThere are no exchanges {plain(days)}.")
    shares = [one.whole, *(share for share in one.reasons if share.exchanges)]
    body = [head, "**By reason**", _shares(shares), "**By outcome**", _shares(one.outcomes)]
    verdicts = [verdict.value for verdict in Verdict]
    work = [(w.reviewer, str(w.reviewed), *(str(w.verdicts.get(v, 0)) for v in verdicts)) for w in one.reviewers]
    listed = table(("Reviewer", "Reviewed", *verdicts), work) if work else "Nobody has reviewed anything yet."
    body += ["**By reviewer**", listed, _agreement(one)]
    return Panel("\n\n".join(body), Download("coverage.csv", "text/csv", _coverage_csv(one)))


def _reason(case: Case) -> str:
    reason = case.place.reason if case.place else Reason.CHOSEN
    why = _WHY[reason]
    if meant := list(dict.fromkeys(text for one in case.exchange.findings if (text := zero_tolerance(one)))):
        why = f"{why}: {'; '.join(meant)}"
    return f"**Why it is here:** {plain(f'{reason.value}: {why}')}"


def _findings(findings: Sequence[Finding]) -> str:
    rows = [(one.code, one.action.value, one.stage, one.span, one.detail) for one in findings]
    return table(("Code", "Action", "Stage", "Words", "Detail"), rows)


def _how(case: Case) -> str:
    short = case.exchange.id[:8]
    again = " again=yes" if case.reviews else ""
    return (
        f"Passages and the rest: `/exchange {short}`. Decide with\n\n"
        f"    /review {short} right{again}\n"
        f'    /review {short} wrong{again} score=20 comment="what is wrong"\n'
        f"    what should have been answered, on as many lines as it takes\n"
        f"    /review {short} unsure{again}"
    )


def _shares(shares: Sequence[Share]) -> str:
    rows = [(share.name, f"{share.exchanges:,}", f"{share.reviewed:,}", _percent(share.share)) for share in shares]
    return table(("", "Exchanges", "Reviewed", "Share"), rows)


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"


def _agreement(one: Coverage) -> str:
    if one.agreement is None:
        return "**Agreement:** no exchange was judged by two reviewers."
    return f"**Agreement:** {one.equal:,} of {one.pairs:,} pairs of opinions are the same ({_percent(one.agreement)})."


def _coverage_csv(one: Coverage) -> bytes:
    rows: list[Sequence[object]] = [("all", one.whole.name, one.whole.exchanges, one.whole.reviewed)]
    rows += [("reason", share.name, share.exchanges, share.reviewed) for share in one.reasons]
    rows += [("outcome", share.name, share.exchanges, share.reviewed) for share in one.outcomes]
    rows += [("reviewer", work.reviewer, "", work.reviewed) for work in one.reviewers]
    rows += [
        (f"reviewer {verdict.value}", work.reviewer, "", work.verdicts.get(verdict.value, 0))
        for work in one.reviewers
        for verdict in Verdict
    ]
    rows.append(("agreement", "pairs and equal ones", one.pairs, one.equal))
    return spreadsheet(("group", "name", "exchanges", "reviewed"), rows)
