"""The cases of an evaluation as HTML: each unfolds to its answer, its sources, its scores and what became of it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from assistant import markup
from assistant.markup import number, text
from opsplane.evaluation.assessment import Assessment
from opsplane.evaluation.dataset import Case
from opsplane.evaluation.report import Answer, Row, Said, Source
from opsplane.evaluation.scoring import Score

_SENTENCES = 200
"""Sentences of one answer that are shown."""
_NAMES = 40
"""Cases named in a row."""


@dataclass
class Sources:
    """Passages that answers rest on, each held once however many cases cite it."""

    places: dict[Source, int] = field(default_factory=dict)

    def place(self, source: Source) -> int:
        """The number of a passage on the page."""
        alike = source.model_copy(update={"number": 0})
        return self.places.setdefault(alike, len(self.places))

    def as_html(self) -> str:
        """Every passage, folded."""
        folded = (
            f'<details class="from" id="p{place}"><summary>{_title(one)}</summary>'
            f'<p class="text">{text(one.text)}</p></details>\n'
            for one, place in self.places.items()
        )
        return "".join(folded)


def anchors(rows: Sequence[Row]) -> dict[str, str]:
    """Where on the page each case is; its name may hold what no address can."""
    return {row.case: f"c{number}" for number, row in enumerate(rows)}


def several(names: Iterable[str], places: dict[str, str]) -> str:
    """Links to cases; beyond some the rest is counted."""
    told = list(names)
    links = [f'<li><a href="#{places[one]}">{text(one)}</a></li>' for one in told[:_NAMES] if one in places]
    more = [f"<li>and {len(told) - _NAMES:,} more</li>"] if len(told) > _NAMES else []
    return f'<ul class="several">{"".join([*links, *more])}</ul>' if links else ""


def as_html(run: Assessment, sources: Sources) -> str:
    """Every case, folded, in the report's order."""
    places = anchors(run.report.rows)
    return "".join(_case(row, run, places[row.case], sources) for row in run.report.rows)


def states(row: Row, run: Assessment) -> list[str]:
    """What the case can be looked for by: whether it passed, what was found, how it differs from before."""
    won, lost, changed = run.unlike
    told = {
        "passed": row.passed,
        "failed": not row.passed,
        "unscored": any(one.value is None for one in row.scores),
        "withheld": bool(row.answer.withheld),
        "won": row.case in won,
        "lost": row.case in lost,
        "changed": row.case in changed,
    }
    return [name for name, holds in told.items() if holds]


def _case(row: Row, run: Assessment, place: str, sources: Sources) -> str:
    found = states(row, run)
    data = {"state": found, "kind": [row.kind], "tag": row.tags}
    marks = " ".join(f'data-{name}="{text(json.dumps(told))}"' for name, told in data.items())
    mark = '<span class="mark good">✓ passed</span>' if row.passed else '<span class="mark bad">✗ not passed</span>'
    differs = [name for name in ("won", "lost") if name in found]
    told = "".join(f' <span class="{"good" if name == "won" else "bad"}">{name}</span>' for name in differs)
    head = f'{mark} <span class="name">{text(row.case)}</span>{told} <span class="soft">{text(row.kind)}</span>'
    return (
        f'<details class="case" id="{place}" {marks}>\n<summary>{head} {text(row.answer.question, 300)}</summary>\n'
        f'<div class="inside">\n{"".join(_inside(row, run, place, sources))}</div>\n</details>\n'
    )


def _inside(row: Row, run: Assessment, place: str, sources: Sources) -> Iterator[str]:
    case = run.asked.get(row.case)
    if row.why:
        yield f'<p class="bad">Not passed: {text(row.why)}</p>\n'
    yield markup.facts(_expected(row, case))
    before = run.before.get(row.case)
    if before and row.case in run.unlike[2]:
        old, new = (text(one.release) for one in (run.baseline or run.report, run.report))
        yield '<div class="beside">\n'
        yield f"<div><h4>Answer of {new}</h4>\n{_answer(row.answer, place)}</div>\n"
        yield f"<div><h4>Answer of {old}</h4>\n{_answer(before.answer)}</div>\n</div>\n"
    else:
        yield f"<h4>Answer</h4>\n{_answer(row.answer, place)}"
    yield _held(row.answer)
    yield _listed("Findings", row.answer.findings)
    yield _scores(row, run)
    yield _sources(row.answer.sources, place, sources)
    yield markup.facts(_made(row.answer, row.digest))


def _expected(row: Row, case: Case | None) -> Iterator[tuple[str, str]]:
    answer = row.answer
    yield "Question", text(answer.question)
    if answer.standalone and answer.standalone != answer.question:
        yield "Understood as", text(answer.standalone)
    if case:
        yield "Asked by", text(case.as_)
        yield "Asked before", "<br>".join(map(text, case.history))
    yield "Expected", "an answer" if row.expect == "answer" else "to be turned away"
    if case:
        yield "Facts", "<br>".join(" <em>or</em> ".join(map(text, _either(fact))) for fact in case.facts)
        yield "Documents", " <em>or</em> ".join(map(text, case.documents))
        yield "Forbidden", "<br>".join(map(text, case.forbidden))
        yield "Reference", text(case.reference)
        yield "Made of", text(case.source)
    yield "Tags", ", ".join(map(text, row.tags))


def _either(fact: str | tuple[str, ...]) -> tuple[str, ...]:
    return (fact,) if isinstance(fact, str) else fact


def _answer(answer: Answer, place: str = "") -> str:
    """The answer sentence by sentence; without a place its marks lead nowhere."""
    code = f" ({text(answer.code)})" if answer.code else ""
    told = f'<p class="soft">{text(answer.outcome.value.capitalize())}{code}</p>\n'
    if answer.error:
        told += f'<p class="bad text">{text(answer.error)}</p>\n'
    if not answer.sentences:
        return f"{told}<p>Nothing was said.</p>\n"
    known = {one.number for one in answer.sources}
    said = "".join(f"<li>{text(one.text)}{_marks(one, known, place)}</li>\n" for one in answer.sentences[:_SENTENCES])
    more = len(answer.sentences) - _SENTENCES
    return f'{told}<ol class="said">\n{said}</ol>\n' + (f"<p>and {more:,} more sentences</p>\n" if more > 0 else "")


def _marks(said: Said, known: set[int], place: str) -> str:
    marks = (
        f' <a href="#{place}s{one}">[{one}]</a>' if place and one in known else f" [{one}]" for one in said.cites[:50]
    )
    return "".join(marks)


def _held(answer: Answer) -> str:
    """What the guardrails kept back."""
    said = "".join(
        f'<li><span class="held">{text(one.text)}</span>{_marks(one, set(), "")}</li>\n'
        for one in answer.withheld[:_SENTENCES]
    )
    return f'<h4>Withheld: the customer did not see this</h4>\n<ul class="said">\n{said}</ul>\n' if said else ""


def _listed(heading: str, lines: Sequence[str]) -> str:
    told = "".join(f"<li>{text(one)}</li>\n" for one in lines[:_SENTENCES])
    return f'<h4>{heading}</h4>\n<ul class="said">\n{told}</ul>\n' if told else ""


def _scores(row: Row, run: Assessment) -> str:
    known = {one.name: one for one in run.report.measures}
    before = run.before.get(row.case)

    def cells(score: Score) -> tuple[str, ...]:
        measure = known.get(score.scorer)
        unit = measure.unit if measure else "none"
        old = before.score(score.scorer) if before else None
        value = "unscored" if score.value is None else number(score.value, unit)
        shown = f'<span class="open">{value}</span>' if score.value is None else value
        parts = ", ".join(f"{text(name)} {number(part, unit)}" for name, part in sorted(score.part.items()))
        told = "; ".join(part for part in (text(score.why, 2_000), parts) if part)
        return (
            text(measure.words if measure else score.scorer),
            shown,
            *((number(old.value if old else None, unit),) if before else ()),
            told,
        )

    headings = ("Measure", "Score", *(("Before",) if before else ()), "Why")
    told = markup.table(f"Scores of {row.case}", headings, map(cells, (*row.scores, *row.clocked)))
    return f"<h4>Scores</h4>\n{told}" if told else ""


def _sources(found: Sequence[Source], place: str, sources: Sources) -> str:
    """The numbered sources; a passage's words stand once on the page, and are fetched when one unfolds."""
    folded = "".join(
        f'<details class="from" id="{place}s{one.number}" data-from="p{sources.place(one)}">'
        f"<summary>[{one.number}] {_title(one)}</summary>"
        f'<p><a href="#p{sources.place(one)}">Its words, at the end of the page</a></p></details>\n'
        for one in found
    )
    return f"<h4>Sources</h4>\n{folded}" if folded else ""


def _title(one: Source) -> str:
    named = one.title or one.document
    told = " · ".join(text(part, 300) for part in (named, one.section) if part)
    which = " ".join(text(part, 300) for part in (one.document, one.version) if part)
    return f'{told} <span class="soft">{which}</span>'


def _made(answer: Answer, digest: str) -> Iterator[tuple[str, str]]:
    yield "Model", " ".join(text(one) for one in (answer.model, answer.tier.value if answer.tier else "") if one)
    tokens = answer.usage
    yield "Tokens", f"{tokens.input:,} in, {tokens.output:,} out" if tokens.input or tokens.output else ""
    yield "Cost", number(answer.cost_micros, "micros") if answer.cost_micros else ""
    yield "Case", f"<code>{text(digest)}</code>"
