"""Reports of made-up runs: small ones for rules, and one of 250 cases as a run would give it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from opsplane.evaluation import report as reports
from opsplane.evaluation.dataset import Case, Dataset
from opsplane.evaluation.report import Answer, Report, Row, Said, Source
from opsplane.evaluation.scoring import Better, How, Measure, Score
from opsplane.exchange import Outcome, Tier
from opsplane.spend import Usage

DAY = date(2026, 11, 23)
KINDS = ("account", "answerable", "follow-up", "hostile", "unanswerable", "version")
TOPICS = ("cards", "fees", "transfers", "deposits", "mortgages")
_WORDS = (
    "A withdrawal at an ATM outside of the network costs $2.50 for each withdrawal. The owner of the ATM may charge a "
    "fee of its own. Customers of the Everyday plan get two of these fees back in every statement period. "
)


def measure(name: str = "facts", **changes: Any) -> Measure:
    """A measure by a rule, where more is better."""
    return Measure(**({"name": name, "words": name.capitalize(), "how": How.RULE, "digest": f"{name}-1"} | changes))


JUDGE = measure("judge", words="Judge, by rubric", how=How.MODEL)
LATENCY = measure("latency", words="Whole turn", how=How.CLOCK, better=Better.LOWER, unit="ms")
MEASURES = (
    measure("facts", words="Every expected fact"),
    measure("citations", words="Cites an expected document"),
    measure("figures", words="Every figure stands in a source"),
    measure("forbidden", words="Nothing forbidden is stated"),
    measure("declines", words="Turned away where it must be"),
    measure("rouge_l", words="ROUGE-L against the reference"),
    measure("readability", words="Words a sentence", better=Better.LOWER, unit="points"),
    measure("cost", words="Cost of an answer", better=Better.LOWER, unit="micros"),
    measure("faithfulness", words="Faithfulness (RAGAS)", how=How.EMBEDDED),
    JUDGE,
    LATENCY,
)


def row(number: int, value: float | None = 1.0, name: str = "facts", **changes: Any) -> Row:
    """A case with one score; it passed where that is 1."""
    said = Answer(outcome=Outcome.ANSWERED, question=f"Question {number}?", sentences=(Said(text="Yes."),))
    data = {"digest": f"d{number}", "kind": KINDS[number % len(KINDS)], "passed": value == 1, "answer": said}
    scores = (Score(scorer=name, value=value, why="" if value is not None else "the judge wrote prose"),)
    return Row(**({"case": f"c{number:03}", "scores": scores} | data | changes))


def report(values: Sequence[float | None], name: str = "facts", **head: Any) -> Report:
    """A report of one measure with these values, one for each case."""
    rows = [row(number, value, name) for number, value in enumerate(values)]
    known = head.pop("measures", [measure(name)])
    return of(rows, known, **head)


def of(rows: Sequence[Row], measures: Sequence[Measure], **head: Any) -> Report:
    """A report of these rows."""
    data = {"release": "heron-8", "release_digest": "8" * 64, "dataset": "golden", "dataset_digest": "d" * 64}
    return reports.gathered(rows, measures, **(data | {"as_of": DAY, "asked": len(rows)} | head))


def dataset(cases: int = 250) -> Dataset:
    """The cases that `run` answers."""
    return Dataset(name="golden", as_of=DAY, cases=tuple(_case(number) for number in range(cases)))


def _case(number: int) -> Case:
    turned_away = KINDS[number % 6] in ("hostile", "unanswerable")
    asked = f"What does it cost to take out cash abroad, and who gets the fee back? ({number})"
    return Case(
        id=f"case-{number:03}",
        kind=KINDS[number % 6],
        history=("Which cards do I have?",) if KINDS[number % 6] == "follow-up" else (),
        question=asked,
        facts=() if turned_away else ("$2.50", ("two of these fees", "two fees")),
        documents=() if turned_away else ("fees", "everyday-plan"),
        forbidden=("no fee at all",),
        reference="" if turned_away else _WORDS,
        tags=(TOPICS[number % 5], *(("new",) if number % 7 == 0 else ())),
        expect="decline" if turned_away else "answer",
    )


def run(worse: int = 0, cases: int = 250, **head: Any) -> Report:
    """What a run of `dataset` might come to; every `worse`-th answer misses a fact."""
    rows = [
        _row(number, one, bad=bool(worse) and number % worse == 0) for number, one in enumerate(dataset(cases).cases)
    ]
    data = {"dataset_digest": dataset(cases).digest, "index": "minilm-420", "generation": "g-12", "judge": "rubric@51"}
    return of(rows, MEASURES, **(data | head))


def _row(number: int, case: Case, *, bad: bool) -> Row:
    answered = case.expect == "answer"
    return Row(
        case=case.id,
        digest=case.digest,
        kind=case.kind,
        tags=case.tags,
        expect=case.expect,
        passed=not bad,
        why=_why(answered=answered) if bad else "",
        answer=_answer(number, case.question, answered=answered or bad, bad=bad),
        scores=_scores(number, answered=answered, bad=bad),
        clocked=(Score(scorer="latency", value=40.0 + number % 90),),
    )


def _why(*, answered: bool) -> str:
    return "missing $2.50" if answered else "expected decline, got answered"


def _answer(number: int, question: str, *, answered: bool, bad: bool) -> Answer:
    if not answered:
        return Answer(
            outcome=Outcome.DECLINED,
            code="off_topic",
            question=question,
            sentences=(Said(text="I can only help with questions about Wrenfield Bank."),),
            findings=("off_topic: similarity 0.31 to what the bank is asked",),
        )
    figure = "$2.80" if bad else "$2.50"
    return Answer(
        outcome=Outcome.ANSWERED,
        question=question,
        standalone=question,
        sentences=(
            Said(text=f"A withdrawal outside of the network costs {figure}.", cites=(1,)),
            Said(text="Customers of the Everyday plan get two of these fees back in a statement period.", cites=(1, 3)),
        ),
        withheld=(Said(text="You will always be refunded.", cites=(2,)),) if number % 9 == 0 else (),
        sources=tuple(_source(place, number) for place in range(1, 7)),
        findings=("unsupported: “You will always be refunded.”",) if number % 9 == 0 else (),
        tier=Tier.FLASH,
        model="embedded:extractive",
        usage=Usage(input=900, output=60),
        cost_micros=310,
    )


def _source(place: int, number: int) -> Source:
    passage = (number * 3 + place) % 60
    section = f"{passage}. Fees at machines"
    return Source(
        number=place,
        document="fees",
        version="2026-10",
        title="Fees",
        section=section,
        text=f"§ {passage}. {_WORDS * 4}",
    )


def _scores(number: int, *, answered: bool, bad: bool) -> tuple[Score, ...]:
    right = float(not bad)
    if not answered:
        return (Score(scorer="declines", value=right), Score(scorer="forbidden", value=1.0))
    silent = number % 50 == 1
    judged = (
        Score(scorer="judge", why="timed out after 20 s")
        if silent
        else Score(
            scorer="judge", value=0.4 + 0.6 * right, why="Says it plainly.", part={"right": right, "style": 0.75}
        )
    )
    return (
        Score(scorer="facts", value=right, why="missing $2.50" if bad else ""),
        Score(scorer="citations", value=1.0),
        Score(scorer="figures", value=1.0),
        Score(scorer="forbidden", value=1.0),
        Score(scorer="rouge_l", value=round(0.35 + 0.01 * (number % 30), 4)),
        Score(scorer="readability", value=9.0 + number % 5),
        Score(scorer="cost", value=310.0),
        Score(scorer="faithfulness", value=round(0.8 + 0.02 * (number % 10), 4)),
        judged,
    )
