"""`opsplane guardrails`: what the checks make of anybody's data, thresholds tuned on it, and reviewers' marks."""

import asyncio
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from assistant import charts, rows, shell, sweep_report
from assistant.measuring import measuring
from assistant.rows import Row
from assistant.settings import Settings
from assistant.shell import As, Data, Why, err, out
from assistant.sweep_report import Report
from assistant.tally import Tally
from opsplane import marking
from opsplane.errors import InvalidRequest
from opsplane.guardrails import measure
from opsplane.guardrails.measure import Measured, Stage
from opsplane.guardrails.sweep import Scored

_CODE = re.compile(r"[a-z_]+(?:\.[a-z0-9_-]+)+")

cli = typer.Typer(help="The guardrails on your own data: check, sweep, marks, report.", no_args_is_help=True)

Input = Annotated[
    Path, typer.Option("--input", help='JSON lines with "text", or "claim" and "evidence"; "-" is standard input.')
]
Output = Annotated[Path | None, typer.Option("--output", help="Write here instead of to the screen.")]
Stages = Annotated[str, typer.Option("--as", help='What a "text" is: question, passage or answer.')]
Bad = Annotated[
    list[str] | None,
    typer.Option("--bad", help="A label of what should be blocked, every other being good; may be given again."),
]
Named = Annotated[str | None, typer.Option("--release", help="Id of a release file. [OPSPLANE_RELEASE]")]


Measuring = Iterator[tuple[Row, Measured]]


@cli.command()
def check(
    file: Input,
    output: Output = None,
    stage: Stages = "question",
    bad: Bad = None,
    release: Named = None,
    data: Data = None,
) -> None:
    """Print what each check makes of every row, as JSON lines in the file's order.

    A row is a JSON object. {"text": …} is read as a customer's question, or as
    --as says. {"claim": …, "evidence": a list of passages} is a sentence of an
    answer that cites these passages. A "stage" in a row (question, passage or
    answer) goes before --as. Other fields are printed again; those that are
    called like ours stand in "given", and "evidence" is left out.

    Each line has the turn's "verdict" (block; reply, where a fixed text
    answers; rewrite; pass), the "code" of what decided, for a question its
    "kind" (in_scope, off_topic, greeting …), and "checks". Each of them has
    "check", "score" and "threshold" in [0, 1], "verdict" (also note, preface,
    disclose, and off where the release does not use the check), the "code" of
    its gravest finding, the "codes" of all (for compliance the ids of the
    rules), the words it is about ("span") and why ("detail"). grounding
    blocks below its threshold (`support` in a release), all others from it
    on. pii has the
    "spans" of personal data: type, score, start and end, which are characters
    of the text as given, end not included.

    A summary goes to standard error. Where all rows have a "label" (bad or
    good, or as --bad says) it tells what was blocked of either.

    Ends with 0; with 1 where a check failed on a row, whose verdict then is
    error; with 2 where a line cannot be read: then nothing was done.
    """
    found, wanted = shell.chosen(data, release=release), _stage(stage)
    given = rows.read(file)
    if output and output.resolve() == file.resolve():
        raise InvalidRequest(f"{output}: the rows would be overwritten; name another file.")
    tally = Tally(bad or ())
    quiet = output is None and sys.stdout.isatty()
    with _opened(found, wanted, given, quiet=quiet) as measured, _written(output) as target:
        for row, one in measured:
            target.write(json.dumps(_line(row, one)) + "\n")
            tally.add(row, one)
    for told in tally.lines():
        err.print(told, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(shell.VIOLATED if tally.verdicts["error"] else shell.FINE)


@cli.command("sweep")
def sweep_(  # noqa: PLR0913 - each option is a parameter
    file: Input,
    checks: Annotated[list[str] | None, typer.Option("--check", help="Only this check; may be given again.")] = None,
    most: Annotated[float, typer.Option(help="Share of good rows that may be blocked.", min=0, max=1)] = 0.01,
    output: Annotated[Path | None, typer.Option("--output", help="Write the thresholds as a release fragment.")] = None,
    chart: Annotated[Path | None, typer.Option("--plot", help="Draw the trade-off as SVG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every point of every curve.")] = False,
    stage: Stages = "question",
    bad: Bad = None,
    release: Named = None,
    data: Data = None,
) -> None:
    """Show what each check blocks of bad and good rows, and choose thresholds.

    Rows are those of `check`, with a "label": bad (unsafe, injection, oos,
    unsupported, 1 …) for what should be blocked, good (safe, in_scope,
    supported, 0 …) for what should not, or any other words with --bad. A row
    with the code of a finding as "check", as `marks` prints them, counts for
    that check only.

    Chosen is the threshold that blocks most of the bad and at most --most of
    the good, if it tells them apart: the 95 % intervals of both shares must
    not meet. So a set of attacks says nothing about grounding, and nothing
    about it is written into the fragment.

    Ends with 0; with 1 where no threshold was chosen; with 2 where a line
    cannot be read: then nothing was done.
    """
    found, wanted = shell.chosen(data, release=release), _stage(stage)
    given = _labelled(file, bad or ())
    _known(checks or (), {row.stage or wanted for row in given})
    with _opened(found, wanted, given) as measured:
        scored, now = _scored(measured, checks or (), bad or ())
    reports = [Report(name, points, most, now[name]) for name, points in scored.items()]
    if as_json:
        shell.print_json([one.as_json() for one in reports])
    else:
        _show(reports, file.name)
    if output:
        _write(output, sweep_report.fragment(reports, file.name, datetime.now(UTC).date()))
        err.print(f"The thresholds are in {output}; its lines go under `guardrails:` of a release.", soft_wrap=True)
    if chart:
        _write(chart, sweep_report.plot(reports, file.name))
        err.print(f"The trade-off is drawn in {chart}.", soft_wrap=True)
    raise typer.Exit(shell.FINE if any(one.chosen for one in reports) else shell.VIOLATED)


@cli.command()
def marks(output: Output = None, person: As = "reviewer", why: Why = "", data: Data = None) -> None:
    """Print what reviewers marked, as rows for `sweep`.

    The words are as the record holds them, masked; the label is bad where the
    finding was right. That they were read is recorded, with the reason.
    """
    found = shell.chosen(data)
    actor, reason = shell.person(found, person), shell.reason(why)
    with shell.desk(found, reason) as desk:
        marked = asyncio.run(marking.labelled(desk.ledger, actor=actor, why=reason))
    with _written(output) as target:
        target.writelines(json.dumps(row) + "\n" for row in marked)
    if not marked:
        err.print("No finding is marked yet: /guardrails mark <exchange> <code> right|wrong does that.")


@cli.command()
def report(
    filters: Annotated[list[str] | None, typer.Argument(help="release=… since=… until=…")] = None,
    person: As = "operator",
    data: Data = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every row as CSV.")] = False,
) -> None:
    """Print what the guardrails found on the record, how often, by release."""
    shell.command("guardrails", filters or [], person, "", data, download=as_csv)


@contextmanager
def _opened(found: Settings, stage: Stage, given: Sequence[Row], *, quiet: bool = False) -> Iterator[Measuring]:
    """What measures the rows, under a bar where a terminal shows nothing else meanwhile."""
    searching = any((row.stage or stage) == "question" for row in given)
    bars = shell.progress() if err.is_terminal and not quiet else nullcontext(_unseen)
    with bars as bar, measuring(found, stage, bar, searching=searching) as bench:
        yield bench.all(given, bar)


def _unseen(_what: str, _done: int, _total: int) -> None:
    """A bar for where nobody looks."""


def _line(row: Row, found: Measured) -> dict[str, Any]:
    """The row as it was, without its passages, and what was found."""
    ours = found.model_dump(mode="json")
    own = {name: value for name, value in row.given.items() if name != "evidence"}
    taken = {name: own.pop(name) for name in list(own) if name in Measured.model_fields or name == "given"}
    return own | ({"given": taken} if taken else {}) | ours


def _labelled(file: Path, bad: Sequence[str]) -> list[Row]:
    given = rows.read(file)
    unread = [row for row in given if row.bad(bad) is None]
    if unread:
        first = unread[0]
        label = repr(first.given["label"])[:40] if first.given.get("label") is not None else "no label"
        raise InvalidRequest(
            f"{file}: {len(unread):,} of {len(given):,} rows have no label that can be read; line {first.line} has "
            f"{label}. Write bad or good, or name with --bad the labels of what should be blocked."
        )
    return given


def _scored(
    measured: Measuring, checks: Sequence[str], bad: Sequence[str]
) -> tuple[dict[str, list[Scored]], dict[str, float | None]]:
    """For each check the rows that count for it, and its threshold; raise `InvalidRequest` where one has none."""
    scored: defaultdict[str, list[Scored]] = defaultdict(list)
    now: dict[str, float | None] = {}
    for row, found in measured:
        meant = _meant(row, found.stage)
        for one in found.checks:
            wanted = one.check in measure.SCORED[found.stage] and (not checks or one.check in checks)
            if wanted and meant in ("", one.check):
                scored[one.check].append(Scored(one.score, bool(row.bad(bad))))
                now[one.check] = one.threshold
    missing = [name for name in checks if name not in scored]
    if missing or not scored:
        raise InvalidRequest(f"No row was scored by {', '.join(missing) or 'any check'}: {_who_scores()}.")
    return scored, now


def _meant(row: Row, stage: Stage) -> str:
    """The check that a row is about, where it names the code of a finding; "" where it counts for all."""
    named = row.given.get("check")
    return measure.family_of(named, stage) if isinstance(named, str) and _CODE.fullmatch(named) else ""


def _known(checks: Sequence[str], stages: set[Stage]) -> None:
    """Raise `InvalidRequest` for a check that scores nothing of these stages."""
    known = {name for names in measure.SCORED.values() for name in names}
    if unknown := [name for name in checks if name not in known]:
        names = _names(*measure.SCORED)
        raise InvalidRequest(f"There is no check {unknown[0][:40]!r} with a threshold; there are {names}.")
    if missing := [name for name in checks if not any(name in measure.SCORED[stage] for stage in stages)]:
        raise InvalidRequest(f"No row is scored by {missing[0]}: {_who_scores()}.")


def _who_scores() -> str:
    scored = _names("question"), _names("passage"), _names("answer")
    return "questions are by {}, passages by {}, claims and answers by {}".format(*scored)


def _names(*stages: Stage) -> str:
    return ", ".join(dict.fromkeys(name for stage in stages for name in measure.SCORED[stage]))


def _show(reports: Sequence[Report], name: str) -> None:
    for one in reports:
        out.print(sweep_report.markdown(one, name))
        if figure := one.figure():
            out.print(charts.in_text(figure), markup=False, highlight=False)


def _stage(given: str) -> Stage:
    match given:
        case "question" | "passage" | "answer":
            return given
    raise InvalidRequest(f"--as {given[:40]}: a text is a question, a passage or an answer.")


def _write(path: Path, text: str) -> None:
    with _written(path) as file:
        file.write(text)


@contextmanager
def _written(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"{path}: {error.strerror}.") from error
    with file:
        yield file
