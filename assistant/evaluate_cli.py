"""`opsplane evaluate`, `opsplane gate`, `opsplane diagnose`: a release on a dataset, from the terminal."""

import asyncio
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from assistant import (
    assessing,
    bootstrap,
    datasets,
    diagnosis_text,
    evaluating,
    judging,
    report_html,
    report_junit,
    report_text,
    scoring,
    shell,
    workshop,
)
from assistant.assessing import Order
from assistant.estimate import Estimate
from assistant.evaluator import Made
from assistant.panels import dollars
from assistant.report_shelf import Shelf
from assistant.settings import Settings
from assistant.shell import As, Data, Why, err, out
from assistant.terminal import Bar
from assistant.workshop import Workshop
from opsplane import casebook, catalogue
from opsplane.errors import InvalidRequest
from opsplane.evaluation.assessment import Assessment
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.gate import Verdict
from opsplane.evaluation.kept import Kept
from opsplane.evaluation.run import Standing
from opsplane.evaluation.scorers import roster
from opsplane.plane import Plane
from opsplane.release import Release

INCONCLUSIVE = 3
"""Exit code where neither can be said: also of a run that was ended before its end."""
_CODES = {Verdict.PASSED: shell.FINE, Verdict.FAILED: shell.VIOLATED, Verdict.INCONCLUSIVE: INCONCLUSIVE}

Which = Annotated[str, typer.Argument(help="Id or file of a release; left out: OPSPLANE_RELEASE.", metavar="[RELEASE]")]
Set = Annotated[str, typer.Option("--dataset", help="A dataset by name, `record`, or a file or folder of one.")]
Judges = Annotated[
    str,
    typer.Option(
        "--judge",
        help="embedded, provider:model, several with commas, or none; left out: the release's, or OPSPLANE_JUDGE.",
    ),
]
Html = Annotated[Path | None, typer.Option("--html", help="Write the report as one HTML page.")]
Json = Annotated[
    Path | None, typer.Option("--json", help="Write the report as JSON, its timings beside it; - prints it.")
]
Junit = Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML.")]
Text = Annotated[Path | None, typer.Option("--markdown", help="Write the report as Markdown.")]
Together = Annotated[int, typer.Option(min=1, max=64, help="Cases under way at a time.")]
AtMost = Annotated[float | None, typer.Option(min=0, help="Dollars, of all releases, beyond which no case begins.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Ask again what earlier runs have asked already.")]
Record = Annotated[bool, typer.Option("--record", help="Put the report on the release, on the record.")]


@dataclass(frozen=True)
class _Ways:
    """Where a report goes to; None: not there."""

    html: Path | None
    markdown: Path | None
    json: Path | None
    junit: Path | None
    failures: int = 20

    @property
    def printed(self) -> bool:
        """Whether the JSON is what is printed."""
        return str(self.json) == "-"

    @property
    def timings(self) -> Path | None:
        """The file of what a clock measured, beside the JSON."""
        return self.json.with_suffix(".timings.json") if self.json and not self.printed else None

    def prepare(self) -> None:
        """Make the folders; raise `InvalidRequest` for a file that cannot be written, before a run is paid for."""
        files = (self.html, self.markdown, self.junit, self.timings and self.json, self.timings)
        for path in files:
            if path and (problem := _problem(path, None)):
                raise InvalidRequest(problem)

    def show(self, run: Assessment) -> list[str]:
        """Print the report, then write the files that are wanted; what could not be done, one sentence each."""
        told = report_text.as_markdown(run, failures=self.failures)
        problems = [self._print(run, told)]
        makes: list[tuple[Path | None, Callable[[], bytes]]] = [
            (self.junit, lambda: report_junit.as_xml(run)),
            (self.timings and self.json, lambda: run.report.content),
            (self.timings, run.timings),
            (self.markdown, told.encode),
            (self.html, lambda: report_html.as_html(run).encode()),
        ]
        problems += [_problem(path, make()) for path, make in makes if path]
        return [one for one in problems if one]

    def _print(self, run: Assessment, told: str) -> str:
        try:
            if self.printed:
                sys.stdout.write(run.report.content.decode() + "\n")
            else:
                out.print(Markdown(told))
            sys.stdout.flush()
        except OSError as error:  # such as a pipe that nobody reads any more
            return f"The report cannot be printed: {error.strerror}."
        return ""


def evaluate(  # noqa: PLR0913 - each option is a parameter
    release: Which = "",
    dataset: Set = "golden",
    compare: Annotated[str, typer.Option(help="Another release on the same cases, compared case by case.")] = "",
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Let the judge compare the answers that differ, in both orders.")
    ] = False,
    scorers: Annotated[str, typer.Option(help="Only these, separated by commas; `list` names them all.")] = "",
    judge: Judges = "",
    html: Html = None,
    markdown: Text = None,
    json: Json = None,
    junit: Junit = None,
    failures: Annotated[int, typer.Option(min=0, help="Cases that did not pass, told one by one.")] = 20,
    together: Together = evaluating.TOGETHER,
    at_most: AtMost = None,
    fresh: Fresh = False,
    record: Record = False,
    person: As = "operator",
    why: Why = "",
    data: Data = None,
) -> None:
    """Ask a dataset's questions through the real turn and score the answers.

    Record, people and accounts are thrown away; documents are those of the
    data folder, the day is the dataset's. Answers that an earlier run was
    given by the same release, documents and code are not asked for again, so
    that a run that was interrupted goes on where it was.

    \b
    opsplane evaluate heron-7 --compare heron-6 --html report.html
    """
    if scorers == "list":
        out.print("\n".join((*roster.names(), "judge")), highlight=False)
        return
    chosen = shell.chosen(data)
    gate = assessing.gate_of(chosen) if dataset == assessing.gate_of(chosen).dataset and not scorers else None
    names = tuple(one.strip() for one in scorers.split(",") if one.strip())
    order = Order(names, judge, together, _micros(at_most), pairs, gate, _votes(chosen))
    ways = _Ways(html, markdown, json, junit, failures)
    if pairs and not compare:
        raise InvalidRequest("--pairs compares two releases: name the other with --compare.")
    _begin(chosen, ways, person if record else "")
    releases = _releases(chosen, (release, compare), order)
    made = _made(chosen, releases, _dataset(chosen, dataset, person, why), order, fresh=fresh)
    _finish(made, ways, chosen, person if record else "")
    if _cut(made):
        raise typer.Exit(INCONCLUSIVE)


def gate(  # noqa: PLR0913 - each option is a parameter
    release: Which = "",
    dataset: Annotated[str, typer.Option("--dataset", help="Left out: the policy's.")] = "",
    against: Annotated[
        str, typer.Option(help="The release that serves, for the policy's margins; left out: OPSPLANE_RELEASE.")
    ] = "",
    judge: Judges = "",
    html: Html = None,
    markdown: Text = None,
    json: Json = None,
    junit: Junit = None,
    together: Together = evaluating.TOGETHER,
    at_most: AtMost = None,
    fresh: Fresh = False,
    record: Record = False,
    person: As = "operator",
    why: Why = "",
    data: Data = None,
) -> None:
    """Say whether a release may go on: an evaluation held against the thresholds of the policy.

    Ends with 0 where it passed, with 1 where it did not, with 3 where neither
    can be said, and with 2 where it could not be run.

    \b
    opsplane gate heron-7 --junit gate.xml --html gate.html
    """
    chosen = shell.chosen(data)
    rules = assessing.gate_of(chosen)
    wanted = _dataset(chosen, dataset or rules.dataset, person, why)
    if dataset:
        rules = rules.model_copy(update={"dataset": wanted.name})
    order = Order((), judge, together, _micros(at_most), gate=rules, votes=_votes(chosen))
    ways = _Ways(html, markdown, json, junit)
    _begin(chosen, ways, person if record else "")
    releases = _releases(chosen, (release, against or chosen.release), order)
    made = _made(chosen, releases, wanted, order, fresh=fresh)
    _finish(made, ways, chosen, person if record else "")
    decision = made.assessment.decision
    raise typer.Exit(_CODES[decision.verdict] if decision else INCONCLUSIVE)


def diagnose(
    release: Which = "",
    dataset: Set = "golden",
    cases: Annotated[int, typer.Option(min=0, help="Cases told of each cause.")] = 5,
    together: Together = evaluating.TOGETHER,
    data: Data = None,
) -> None:
    """Say why cases failed: documents, retrieval, prompt, guardrails or model, with the counts behind it.

    \b
    opsplane diagnose heron-7 --dataset golden
    """
    chosen = shell.chosen(data)
    with _open(chosen, fresh=False) as (shop, known), shell.progress() as bar:
        one, wanted = evaluating.release(release, chosen), assessing.named(dataset, chosen)
        order = Order(assessing.RULES, "none", together, told=_told(bar))
        made = assessing.assess(shop, one, None, wanted, order, known)
        found = assessing.diagnosed(shop, made.assessment, _corrected(chosen))
    out.print(Markdown(diagnosis_text.as_markdown(found, made.assessment.report, cases)))


def _dataset(chosen: Settings, name: str, person: str, why: str) -> Dataset:
    """A dataset by name, or by path and called so; the one made of the record is read by a reviewer who says why."""
    if name != datasets.RECORD:
        found = assessing.named(name, chosen)
        return found if name in datasets.names(chosen.datasets) else found.model_copy(update={"name": name})
    actor, told = shell.person(chosen, person), shell.reason(why)
    with bootstrap.record(chosen) as (ledger, _):
        return asyncio.run(casebook.dataset(ledger, chosen.zone, actor=actor, why=told))


def _begin(chosen: Settings, ways: _Ways, person: str) -> None:
    """Raise for what would fail at the end only: a file that cannot be written, a person whom nobody knows."""
    ways.prepare()
    if person:
        shell.person(chosen, person)


def _releases(chosen: Settings, names: tuple[str, str], order: Order) -> list[Release]:
    """The releases by name; raises for them, and for scorers and judges that there are not."""
    found = [evaluating.release(name, chosen) for place, name in enumerate(names) if name or not place]
    if unknown := [one for one in order.scorers if one not in (*roster.names(), scoring.JUDGE)]:
        roster.chosen(unknown, roster.Parts())  # refuses them in words
    judges = scoring.who(found[0], chosen, order.judge)
    for judge in judges:
        if judge != judging.EMBEDDED:
            judging.must_be_model(judge)
    if order.pairs and (not judges or (order.scorers and scoring.JUDGE not in order.scorers)):
        raise InvalidRequest("--pairs needs a judge, and nobody judges here: see --judge and --scorers.")
    return found


def _made(chosen: Settings, releases: Sequence[Release], wanted: Dataset, order: Order, *, fresh: bool) -> Made:
    """Run it, with what it will cost said before and a bar while it lasts."""
    one, other = releases[0], releases[1] if len(releases) > 1 else None
    with _open(chosen, fresh=fresh) as (shop, known):
        before = assessing.expected(shop, releases, wanted, order, known)
        err.print(f"{len(wanted.cases)} cases, {_before(before)}.", highlight=False)
        try:
            with shell.progress() as bar:
                made = assessing.assess(shop, one, other, wanted, replace(order, told=_told(bar)), known)
        except KeyboardInterrupt:
            err.print("Interrupted. What was answered is kept: the same command goes on there.", highlight=False)
            raise typer.Exit(shell.COULD_NOT) from None
    if _cut(made) and order.at_most is not None:
        limit = f"The limit of {dollars(order.at_most)} was reached."
        err.print(f"{limit} What was answered is kept: with a higher --at-most it goes on there.", highlight=False)
    return made


def _before(expected: Estimate) -> str:
    """What will be asked and cost, in words."""
    told = f"{expected.asked} questions to be asked"
    if expected.unpriced:
        about = f", for about {dollars(expected.micros)}" if expected.micros else ""
        return f"{told}{about}; the price of {', '.join(expected.unpriced)} is not known"
    return f"{told}, for about {dollars(expected.micros)}" if expected.micros else f"{told}, at no cost"


def _cut(made: Made) -> bool:
    """Whether one of its runs was ended before its end."""
    baseline = made.assessment.baseline
    return made.partial or bool(baseline and baseline.partial)


@contextmanager
def _open(chosen: Settings, *, fresh: bool) -> Iterator[tuple[Workshop, Kept]]:
    """Documents, models, and what earlier runs found out."""
    with shell.progress() as bar, workshop.opened(chosen, bar) as shop, Kept(evaluating.kept(chosen.data)) as known:
        bar.close()
        if fresh:
            known.forget()
        yield shop, known


def _told(bar: Bar) -> Callable[[Standing], None]:
    def told(standing: Standing) -> None:
        bar("Cases", standing.done, standing.of)

    return told


def _finish(made: Made, ways: _Ways, chosen: Settings, person: str) -> None:
    """Say what it cost, keep the report, and put it on the record where `person` does that."""
    run, report = made.assessment, made.assessment.report
    spent = dollars(made.spent_micros) if made.spent_micros else "nothing"
    err.print(f"{made.known} answers were known from before; spent {spent}.", highlight=False)
    problems = ways.show(run)
    try:
        Shelf(chosen.data).keep(run)
    except OSError as error:
        shell.complain(f"warning: the report is not kept in {chosen.data}: {error.strerror}.")
    for problem in problems:
        shell.complain(problem)
    if person:
        event, actor = assessing.event(run), shell.person(chosen, person)
        with shell.desk(chosen, "") as desk:
            asyncio.run(catalogue.evaluated(desk.plane, desk.ledger, event, actor=actor))
        err.print(f"Recorded for {report.release}: {'passed' if event.passed else 'not passed'}.", highlight=False)
    if problems:
        raise typer.Exit(shell.COULD_NOT)


def _votes(chosen: Settings) -> Callable[[str], bool]:
    """Whether a judge has its vote, by the record of the data folder; nobody has one where there is no record."""

    def votes(judge: str) -> bool:
        if not _recorded(chosen):
            return False
        with bootstrap.record(chosen) as (ledger, _):
            return Plane(ledger).state.votes(judge)

    return votes


def _corrected(chosen: Settings) -> int:
    """How many corrected answers are on the record."""
    if not _recorded(chosen):
        return 0
    with bootstrap.record(chosen) as (ledger, _):
        return assessing.corrected(ledger)


def _recorded(chosen: Settings) -> bool:
    return bool(chosen.record_url) or (chosen.data / "record.db").is_file()


def _micros(dollars_: float | None) -> int | None:
    if dollars_ is not None and not math.isfinite(dollars_):
        raise InvalidRequest("--at-most is an amount in dollars, such as 2.50.")
    return None if dollars_ is None else round(dollars_ * 1_000_000)


def _problem(path: Path, content: bytes | None) -> str:
    """Write a file, or with None only try whether it can be; what stands in the way, or nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content)
            return ""
        there = path.exists()
        with path.open("ab"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}."
    return ""
