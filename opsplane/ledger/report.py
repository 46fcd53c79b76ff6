"""The part of an export that people read: one HTML page that needs nothing else, no script, no font, no network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from opsplane.events import Event, FeedbackGiven
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange
from opsplane.finding import Finding
from opsplane.ledger.store import Entry

MOST = 1_000
"""At most so many exchanges are told in full; every one stands in the other files of the export."""


@dataclass(frozen=True)
class Cover:
    """What the page says of itself: label and text, and how many exchanges the export holds."""

    title: str
    facts: Sequence[tuple[str, str]]
    exchanges: int


@dataclass(frozen=True)
class Turn:
    """One exchange, its events, and who put its release in force."""

    exchange: Exchange
    story: Sequence[Entry]
    approved: str


def page(cover: Cover, history: Sequence[Entry], turns: Sequence[Turn]) -> Iterator[str]:
    """The page in pieces; `history` are the acts that the exchanges stand on, `turns` at most `MOST` of them."""
    title = escape(cover.title)
    yield f"{_TOP}<title>{title}</title>\n{_HEAD}</head>\n<body>\n"
    yield f"<h1>{title}</h1>\n{_facts(cover.facts)}"
    yield f"<h2>Releases, keys, holds and erasures</h2>\n{_history(history)}"
    yield f"<h2>Exchanges</h2>\n{_told(cover.exchanges, len(turns))}"
    if turns:
        yield _table(("Time (UTC)", "Customer", "Outcome", "Release", "Question"), [_index(turn) for turn in turns])
    for turn in turns:
        yield _turn(turn)
    yield "</body>\n</html>\n"


def words(event: Event) -> str:
    """An event's public and private fields on one line, without the bytes of a release."""
    values = event.model_dump(mode="json", exclude={"kind", "canonical", "exchange"})
    return "; ".join(
        f"{name.replace('_', ' ')}: {value}" for name, value in values.items() if value not in ("", None, {})
    )


def _told(total: int, shown: int) -> str:
    if not total:
        return "<p>The export holds no exchange.</p>\n"
    rest = f" The first {shown} are told here; all are in exchanges.csv and content.jsonl." if shown < total else ""
    return f"<p>The export holds {total} exchanges.{rest}</p>\n"


def _history(entries: Sequence[Entry]) -> str:
    if not entries:
        return "<p>None.</p>\n"
    rows = [
        (str(entry.seq), _time(entry.at), entry.event.kind.replace("_", " "), _who(entry), escape(words(entry.event)))
        for entry in entries
    ]
    return _table(("Entry", "Time (UTC)", "What", "Who", "Details"), rows)


def _index(turn: Turn) -> tuple[str, ...]:
    one = turn.exchange
    question = one.question if len(one.question) <= 120 else f"{one.question[:119]}…"
    link = f'<a href="#{escape(one.id)}">{escape(question)}</a>'
    return _time(one.at), escape(one.customer), escape(_outcome(one)), escape(one.release), link


def _turn(turn: Turn) -> str:
    one = turn.exchange
    route = f"{one.route.tier.value}: {one.route.model} ({one.route.reason})" if one.route else "none"
    facts = [
        ("Exchange", one.id),
        ("When", f"{_time(one.at)} UTC"),
        ("Who asked", f"customer {one.customer}, signed in as {one.actor.id}"),
        ("Release", f"{one.release}, digest {one.digest} ({one.arm})"),
        ("Put in force", turn.approved),
        ("Model", route),
        ("Outcome", _outcome(one)),
        ("Tokens", f"{one.usage.input} read, {one.usage.output} written, {one.usage.cached} from cache"),
        ("Cost", f"{one.cost_micros} micro-dollars (price table {one.prices or 'none'})"),
        ("Took", f"{one.total_ms} ms"),
    ]
    if one.error:
        facts.append(("Error", one.error))
    parts = [f'<section id="{escape(one.id)}">\n<h3>{_time(one.at)} · {escape(one.customer)}</h3>\n']
    parts += [f"<blockquote>{escape(one.question)}</blockquote>\n", _answer(one), _facts(facts)]
    if one.withheld:
        parts += ["<h4>Withheld from the customer</h4>\n", *(_sentence(sentence) for sentence in one.withheld)]
    parts += [_sources(one.evidence), _findings(one.findings), _events(turn.story), "</section>\n"]
    return "".join(parts)


def _answer(one: Exchange) -> str:
    if not one.sentences:
        return "<p><em>Nothing was shown.</em></p>\n"
    return "<h4>Shown to the customer</h4>\n" + "".join(_sentence(sentence) for sentence in one.sentences)


def _sentence(sentence: Sentence) -> str:
    marks = "".join(f"<sup>[{number}]</sup>" for number in sentence.cites)
    return f"<p>{escape(sentence.text)}{marks}</p>\n"


def _sources(evidence: Sequence[Evidence]) -> str:
    if not evidence:
        return "<h4>Sources</h4>\n<p>None were read.</p>\n"
    parts = ["<h4>Sources that were read</h4>\n"]
    for one in evidence:
        place = " › ".join(part for part in (one.title, one.section) if part)
        version = f", version {one.version}" if one.version else ""
        since = f", in force since {one.effective_from}" if one.effective_from else ""
        parts.append(
            f"<details><summary>[{one.number}] {escape(place + version + since)}</summary>"
            f"<p>{escape(one.text)}</p><p><code>{escape(one.id)} · SHA-256 {escape(one.sha256)}</code></p></details>\n"
        )
    return "".join(parts)


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "<h4>Findings</h4>\n<p>None.</p>\n"
    rows = [
        tuple(escape(cell) for cell in (one.code, one.action.value, one.stage, one.span, one.detail))
        for one in findings
    ]
    return "<h4>Findings</h4>\n" + _table(("Code", "Consequence", "Stage", "Words", "Detail"), rows)


def _events(story: Sequence[Entry]) -> str:
    rows = [
        (str(entry.seq), _time(entry.at), entry.event.kind.replace("_", " "), _who(entry), _remark(entry.event))
        for entry in story
    ]
    return "<h4>Entries on the record</h4>\n" + _table(("Entry", "Time (UTC)", "What", "Who", "Details"), rows)


def _remark(event: Event) -> str:
    """What an event of an exchange adds to what is told above already."""
    if event.kind in ("question_received", "question_answered", "sentence_said"):
        return ""
    if isinstance(event, FeedbackGiven):
        thumb = {1: "thumb up", 0: "thumb down", None: "taken back"}[event.value]
        return escape(f"{thumb} {event.comment}".strip())
    return escape(words(event))


def _outcome(one: Exchange) -> str:
    return f"{one.outcome.value} ({one.code})" if one.code else one.outcome.value


def _who(entry: Entry) -> str:
    return escape(f"{entry.actor.id} ({entry.actor.role.value})")


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><th>{escape(label)}</th><td>{escape(text)}</td></tr>\n" for label, text in facts)
    return f'<table class="facts">\n{rows}</table>\n'


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose cells are HTML already."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"


_TOP = '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
_HEAD = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; } h4 { margin: 1.2rem 0 .3rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #ddd; }
th, td { overflow-wrap: anywhere; }
.facts th { width: 11rem; font-weight: 600; }
section { border-top: 2px solid #1a1a1a; margin-top: 2rem; break-inside: avoid-page; }
blockquote { margin: .5rem 0; padding: .3rem 1rem; border-left: 4px solid #888; background: #f5f5f5; }
summary { cursor: pointer; } code { font-size: .85em; overflow-wrap: anywhere; }
@media print { body { max-width: none; margin: 0; } }
</style>
"""
