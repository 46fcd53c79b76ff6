"""`opsplane dataset`: the sets of cases that releases are measured on: listed, shown, checked, converted."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown

from assistant import bootstrap, datasets, shell, signin
from assistant.panels import cut, plain, table
from assistant.settings import Settings
from assistant.shell import As, Data, Json, Why, out
from opsplane import casebook, registry
from opsplane.errors import InvalidRequest
from opsplane.evaluation import contamination as contaminations
from opsplane.evaluation import dataset as files
from opsplane.evaluation import soundness, training
from opsplane.evaluation.contamination import Contamination, Seen
from opsplane.evaluation.dataset import Dataset

SHOWN = 50
"""So many finds of one sort are listed."""

_DEMO = ("customer", "customer2", "operator", "approver", "reviewer")

cli = typer.Typer(help="The sets of cases that releases are measured on.", no_args_is_help=True)

Named = Annotated[
    str, typer.Argument(metavar="NAME", help="A name of `dataset list`, `record` for cases made of it, or a path.")
]


@cli.command("list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """List the datasets by name, with how many cases, on which day they are true, and the digest."""
    found = shell.chosen(data)
    every = datasets.all_of(found.datasets, _today(found))
    if as_json:
        shell.print_json([_summary(one.dataset, one.name, one.problem) for one in every])
        return
    rows = [
        (one.name, f"{len(one.dataset.cases):,}", str(one.dataset.as_of), one.dataset.digest[:12])
        if one.dataset
        else (one.name, "—", "—", cut(one.problem, 200))
        for one in every
    ]
    rows.append((datasets.RECORD, "—", "—", "made of exchanges by /golden; read by a reviewer, with a reason"))
    out.print(Markdown(table(("Dataset", "Cases", "True on", "Digest"), rows)))


@cli.command()
def show(
    name: Named,
    case: Annotated[str, typer.Option("--case", metavar="ID", help="Only this case, whole.")] = "",
    as_json: Json = False,
    person: As = "reviewer",
    why: Why = "",
    data: Data = None,
) -> None:
    """Show the cases of a dataset, or one of them whole."""
    dataset = _opened(name, data, person, why)
    if case:
        dataset = dataset.subset(ids=[case])
    if as_json:
        head = {"name": dataset.name, "as_of": dataset.as_of.isoformat(), "digest": dataset.digest}
        shell.print_json(head | {"cases": [one.told() for one in dataset.cases]})
    elif case:
        told = dataset.cases[0].told() | {"digest": dataset.cases[0].digest}
        out.print(Markdown(table(("Field", "Value"), [(field, _flat(value)) for field, value in told.items()])))
    else:
        rows = [(one.id, one.kind, one.expect, cut(one.question, 100)) for one in dataset.cases]
        out.print(Markdown(f"{_head(dataset)}\n\n{table(('Case', 'Kind', 'Expected', 'Question'), rows)}"))


@cli.command()
def check(name: Named, person: As = "reviewer", why: Why = "", data: Data = None) -> None:
    """Check a dataset: every field, contradictions, cases that repeat one another or stand in a release's examples.

    A case that a scope exemplar repeats is told and is no problem: an exemplar
    says which kind a question is, and gives no answer away.

    Ends with 0; with 1 where there are problems; with 2 where it cannot be read.
    """
    found = shell.chosen(data)
    dataset = _opened(name, data, person, why)
    told = soundness.examine(dataset, _of_releases(found), _personas(found))
    parts = [_head(dataset), _counted("Kind", (one.kind for one in dataset.cases))]
    parts.append(_counted("Expected", (one.expect for one in dataset.cases)))
    if any(one.tags for one in dataset.cases):
        parts.append(_counted("Tag", (tag for one in dataset.cases for tag in one.tags)))
    parts += [_listed("Worth a look", told.notes), _listed("Problems", told.problems)]
    out.print(Markdown("\n\n".join(part for part in parts if part)))
    if not told.problems:
        out.print("No problems.")
    raise typer.Exit(shell.VIOLATED if told.problems else shell.FINE)


@cli.command()
def digest(name: Named, person: As = "reviewer", why: Why = "", data: Data = None) -> None:
    """Print the SHA-256 of a dataset: over the day and the cases, whatever their order and format."""
    out.print(_opened(name, data, person, why).digest, highlight=False, soft_wrap=True)


@cli.command()
def convert(
    name: Named,
    output: Annotated[Path, typer.Option("--output", help="The file to write: .yaml or .jsonl.")],
    person: As = "reviewer",
    why: Why = "",
    data: Data = None,
) -> None:
    """Write a dataset as YAML or JSON lines, by the suffix; no field of a case is lost, comments are not kept."""
    source = datasets.place(name, shell.chosen(data).datasets)
    if source and output.resolve().is_relative_to(source.resolve()):
        raise InvalidRequest(f"{output}: that is the dataset's own place; name another file.")
    dataset = _opened(name, data, person, why)
    files.save(dataset, output)
    out.print(f"{len(dataset.cases):,} cases in {output}, digest {dataset.digest}", highlight=False, soft_wrap=True)


@cli.command()
def contamination(
    name: Named,
    against: Annotated[
        list[Path] | None, typer.Option("--against", metavar="FILE", help="A training export; may be given again.")
    ] = None,
    as_json: Json = False,
    person: As = "reviewer",
    why: Why = "",
    data: Data = None,
) -> None:
    """Look for cases that a model may have seen: in the releases' few-shot examples and in training exports.

    An export is a file of JSON lines with "contents" (Vertex AI), "messages",
    or "question" and "answer". Found are the same words, whole questions
    inside longer texts, and near ones by their runs of three words; not a
    question asked in quite other words.

    Ends with 0; with 1 where examples or training data hold a case; with 2
    where a file cannot be read.
    """
    dataset = _opened(name, data, person, why)
    seen = chain(_of_releases(shell.chosen(data)), *(training.read(path) for path in against or ()))
    found = contaminations.check(dataset, seen)
    if as_json:
        shell.print_json(found.model_dump(mode="json"))
    else:
        out.print(Markdown(_contamination(dataset, found)))
    raise typer.Exit(shell.VIOLATED if found.grave else shell.FINE)


def _opened(name: str, data: Path | None, person: str, why: str) -> Dataset:
    """The dataset; the one that is made of the record is read as a reviewer, with a reason."""
    found = shell.chosen(data)
    if name != datasets.RECORD:
        return datasets.opened(name, found.datasets, _today(found))
    actor, reason = shell.person(found, person), shell.reason(why)
    with shell.desk(found, reason) as desk:
        return asyncio.run(casebook.dataset(desk.ledger, found.zone, actor=actor, why=reason))


def _of_releases(found: Settings) -> Iterator[Seen]:
    """What stands in the prompts and exemplars of every release file."""
    for one in registry.load_all(found.releases).values():
        yield from contaminations.of_release(one)


def _personas(found: Settings) -> set[str]:
    """Everybody who may ask: the people known here, and the demonstration's."""
    with closing(bootstrap.people(found)) as people:
        return {one.name for one in people.all()} | {name for name in _DEMO if signin.demo_person(name)}


def _today(found: Settings) -> date:
    return datetime.now(found.zone).date()


def _summary(dataset: Dataset | None, name: str, problem: str) -> dict[str, object]:
    if dataset is None:
        return {"name": name, "problem": problem}
    return {"name": name, "cases": len(dataset.cases), "as_of": dataset.as_of.isoformat(), "digest": dataset.digest}


def _head(dataset: Dataset) -> str:
    many = f"{len(dataset.cases):,} cases, true on {dataset.as_of}, digest {dataset.digest[:12]}"
    return f"**{plain(dataset.name)}**: {many}"


def _counted(what: str, words: Iterable[str]) -> str:
    rows = sorted(Counter(words).items(), key=lambda one: (-one[1], one[0]))
    return table((what, "Cases"), [(word, f"{many:,}") for word, many in rows])


def _listed(what: str, lines: tuple[str, ...]) -> str:
    if not lines:
        return ""
    more = [f"- and {len(lines) - SHOWN:,} more"] if len(lines) > SHOWN else []
    return "\n".join([f"**{what}:** {len(lines):,}", "", *(f"- {plain(one)}" for one in lines[:SHOWN]), *more])


def _contamination(dataset: Dataset, found: Contamination) -> str:
    grave, soft = (tuple(soundness.match_in_words(one) for one in part) for part in (found.grave, found.soft))
    parts = [
        f"{_head(dataset)}; held against {found.texts:,} texts",
        _listed("Seen in few-shot examples or training data", grave) or "No case stands in them.",
        _listed("Repeated by scope exemplars", soft),
    ]
    return "\n\n".join(part for part in parts if part)


def _flat(value: object) -> str:
    if isinstance(value, list):
        return " · ".join(" or ".join(one) if isinstance(one, list) else str(one) for one in value)
    return str(value)
