"""The reviewers' queue, what was corrected, and the coverage report as Markdown, tables and files."""

from collections.abc import Mapping, Sequence

from assistant.audit_panels import marks, ratings, reviews
from assistant.panels import Download, Panel, cut, moment, plain, spreadsheet, table
from opsplane.corrections import MOST, Corrections
from opsplane.coverage import Contest, Coverage, Share
from opsplane.criteria import rubric
from opsplane.evaluation.estimate import Estimate
from opsplane.events import ExchangeReviewed
from opsplane.finding import Finding
from opsplane.oversight import Case, Second, Task
from opsplane.review import Reason, Verdict, zero_tolerance

_LISTED = 20
"""So many corrected answers are listed; the file holds the rest."""

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
        which = {"": "", Second.SECOND: " for a second opinion"}.get(wanted, f" as {plain(wanted)}")
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
    if one.opinions:
        body += ["**Reviews so far**", reviews(one.opinions)]
    elif case.reviews:
        body.append("Somebody judged it before; what was said is shown once you have judged it too.")
    return Panel("\n\n".join([*body, _how(case), _rubric(), queue]))


def decided(event: ExchangeReviewed, left: Mapping[Reason, int]) -> Panel:
    """That a verdict is on the record, and what waits next."""
    score = "" if event.score is None else f", score {event.score}"
    if event.marks:
        score += f" ({plain(', '.join(f'{name} {mark}' for name, mark in event.marks.items()))})"
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
    """What share was reviewed, by whom, how far reviewers agree, and which releases they prefer."""
    head = f"### Coverage\n\nExchanges {plain(days)}."
    if not one.whole.exchanges:
        return Panel(f"### Coverage\n\nThere are no exchanges {plain(days)}.")
    shares = [one.whole, *(share for share in one.reasons if share.exchanges)]
    body = [head, "**By reason**", _shares(shares), "**By outcome**", _shares(one.outcomes)]
    verdicts = [verdict.value for verdict in Verdict]
    work = [(w.reviewer, str(w.reviewed), *(str(w.verdicts.get(v, 0)) for v in verdicts)) for w in one.reviewers]
    listed = table(("Reviewer", "Reviewed", *verdicts), work) if work else "Nobody has reviewed anything yet."
    body += ["**By reviewer**", listed, _agreement(one), *_concords(one), *_contests(one)]
    return Panel("\n\n".join(body), Download("coverage.csv", "text/csv", _coverage_csv(one)))


def corrections(found: Corrections, days: str) -> Panel:
    """The corrected answers, newest first, and all of them as a file."""
    if not found.rows:
        how = "What stands on the lines below `/review <id> wrong` is the corrected answer."
        return Panel(f"### Corrections\n\nThere are no corrected answers {plain(days)}. {how}")
    rows = [
        (
            one.exchange.id[:8],
            moment(one.at),
            one.reviewer,
            one.verdict,
            "" if one.score is None else str(one.score),
            cut(one.exchange.question, 60),
            cut(one.exchange.answer, 80),
            cut(one.corrected, 80),
        )
        for one in found.rows[:_LISTED]
    ]
    names = ("Exchange", "Corrected (UTC)", "Reviewer", "Verdict", "Score", "Question", "Answer", "Corrected answer")
    head = f"### Corrections\n\nCorrected answers {plain(days)}: {len(found.rows):,}."
    told = "Newest first; the file holds all of them whole, with sources and marks."
    if found.more:
        told = f"These are the newest {MOST:,}; narrow the days for older ones. The file holds them whole."
    download = Download("corrections.jsonl", "application/jsonl", found.as_jsonl())
    return Panel("\n\n".join([head, told, table(names, rows)]), download)


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
        f'    /review {short} wrong{again} {_marked()} comment="what is wrong"\n'
        f"    what should have been answered, on as many lines as it takes\n"
        f"    /review {short} unsure{again}"
    )


def _marked() -> str:
    """The beginning of the rubric as it is typed."""
    return " ".join(f"{name}={mark}" for name, mark in zip(rubric().names, (2, 4), strict=False))


def _rubric() -> str:
    """What is marked, and what each mark means."""
    rows = [(one.name, one.asks, *one.anchors) for one in rubric().criteria]
    listed = table(("Criterion", "Asks", "1", "2", "3", "4", "5"), rows)
    told = "Marks are optional; without `score=…` they make the score: their mean, 1 at 0 and 5 at 100."
    return f"**Marks** (rubric {rubric().version}). {told}\n\n{listed}"


def _shares(shares: Sequence[Share]) -> str:
    rows = [(share.name, f"{share.exchanges:,}", f"{share.reviewed:,}", _percent(share.share)) for share in shares]
    return table(("", "Exchanges", "Reviewed", "Share"), rows)


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"


def _agreement(one: Coverage) -> str:
    if one.agreement is None:
        return "**Agreement:** no exchange was judged by two reviewers."
    return f"**Agreement:** {one.equal:,} of {one.pairs:,} pairs of opinions are the same ({_percent(one.agreement)})."


def _concords(one: Coverage) -> list[str]:
    """Agreement beyond chance, with what the numbers mean."""
    if not one.concords:
        return []
    rows = [(each.about, f"{each.alpha.number:,}", str(each.alpha)) for each in one.concords]
    told = "Beyond chance, 1 is full agreement and 0 what chance alone would give; in brackets the 95 % interval."
    body = [told, table(("About", "Exchanges", "Krippendorff's alpha"), rows)]
    couples = [(each.one, each.other, f"{each.kappa.number:,}", str(each.kappa)) for each in one.couples]
    if couples:
        body.append(table(("Reviewer", "and", "Exchanges", "Cohen's kappa of verdicts"), couples))
    return body


def _contests(one: Coverage) -> list[str]:
    """Which release reviewers prefer, of each two that they compared."""
    if not one.contests:
        return ["**Preferences:** no two answers were compared; `/prefer` shows the next pair."]
    rows = [
        (
            _named(each.release, one.releases),
            _named(each.other, one.releases),
            *(f"{number:,}" for number in (each.won, each.lost, each.tied)),
            _won(each),
        )
        for each in one.contests
    ]
    heads = ("Release", "against", "Won", "Lost", "Tied", "Share won (95 % interval)")
    told = "Each exchange counts once, by what most reviewers said; ties are left out of the share."
    return ["**Preferences**", table(heads, rows), told]


def _won(one: Contest) -> str:
    low, high = one.interval
    return "—" if one.share is None else f"{one.share:.1%} ({low:.1%} to {high:.1%})"


def _named(digest: str, names: Mapping[str, str]) -> str:
    return f"{names.get(digest, 'unknown')}@{digest[:12]}"


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
    rows += [("alpha", each.about, each.alpha.number, "", *_figures(each.alpha)) for each in one.concords]
    rows += [
        ("kappa", f"{each.one}, {each.other}", each.kappa.number, "", *_figures(each.kappa)) for each in one.couples
    ]
    for each in one.contests:
        pair = f"{_named(each.release, one.releases)} against {_named(each.other, one.releases)}"
        shares = (
            ("", "", "") if each.share is None else (round(each.share, 6), *(round(end, 6) for end in each.interval))
        )
        rows.append(("preference won", pair, each.won, "", *shares))
        rows += [("preference lost", pair, each.lost), ("preference tied", pair, each.tied)]
    heads = ("group", "name", "exchanges", "reviewed", "value", "low", "high")
    return spreadsheet(heads, ((*row, *("" for _ in heads[len(row) :])) for row in rows))


def _figures(one: Estimate) -> list[object]:
    return ["" if figure is None else figure for figure in (one.value, one.low, one.high)]
