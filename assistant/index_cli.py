"""`opsplane index`: build another index beside those that serve, evaluate, restore, explain, verify, collect."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from time import time
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.markdown import Markdown

from assistant import (
    arguments,
    bootstrap,
    commands,
    corpus,
    index_collection,
    index_comparison,
    index_evaluation,
    index_facts,
    index_panels,
    shell,
    vector_store,
)
from assistant.desk import Desk
from assistant.embedders import remote
from assistant.settings import Settings
from assistant.shell import As, Data, Json, err, out
from knowledge import building, embedding, reconcile
from knowledge.chunk import Chunking
from knowledge.embedding import EXACT, ROUNDED
from knowledge.encoders import GEMINI, Encoders, gemini
from knowledge.index.store import Holding
from knowledge.ingest import Busy
from knowledge.library import Library
from knowledge.reconcile import Verified
from knowledge.report import IndexReport
from knowledge.spec import IndexSpec
from opsplane import indexes, policy
from opsplane.control import STAFF, recorded
from opsplane.errors import Conflict, InvalidRequest, NotFound

cli = typer.Typer(help="Indexes: build, evaluate, restore, explain, verify, collect.", no_args_is_help=True)

Reason = Annotated[str, typer.Option("--reason", help="Why; it goes on the record.")]
Named = Annotated[str, typer.Argument(metavar="INDEX", help="Its id, or the beginning of it.")]
T = TypeVar("T")


@cli.command("list")
def list_(person: As = "operator", data: Data = None) -> None:
    """List every index: what it holds, which releases name it, how long it stays."""
    _command(["indexes"], {}, person, data)


@cli.command()
def show(name: Named, person: As = "operator", data: Data = None) -> None:
    """Show what an index is made of, what it served since when, and how it was evaluated."""
    _command(["index", name], {}, person, data)


@cli.command()
def build(  # noqa: PLR0913 - each option is a parameter
    max_tokens: Annotated[int | None, typer.Option(help="Word pieces in the largest passage.")] = None,
    min_tokens: Annotated[int | None, typer.Option(help="Word pieces below which neighbours are joined.")] = None,
    overlap: Annotated[float | None, typer.Option(help="Share of a passage that the next repeats.")] = None,
    model: Annotated[str, typer.Option("--embedding", help=f"{', '.join((ROUNDED, EXACT, *GEMINI))}.")] = "",
    of: Annotated[str, typer.Option(help="The index whose documents are taken; left out: the stable release's.")] = "",
    again: Annotated[str, typer.Option(help="An index that was given up, to be built as it was.")] = "",
    person: As = "operator",
    data: Data = None,
) -> None:
    """Build a new index out of the documents that serve now, beside the others; customers notice nothing.

    What is left out is as in the index whose documents are taken. A run that is
    killed is carried on by the next of the same options. Until a release names
    the new index nobody is answered from it.

    \b
    opsplane index build --max-tokens 256 --min-tokens 64
    opsplane index build --embedding all-MiniLM-L6-v2-fp32
    """
    found = shell.chosen(data)
    actor = shell.person(found, person)
    wanted = {"max_tokens": max_tokens, "min_tokens": min_tokens, "overlap": overlap}
    with _desk(found) as desk, shell.progress() as bar:
        library = index_facts.library_of(desk)
        source = index_facts.find(library, of or _serving(desk, library))
        every = library.catalogue.indexes(retired=True)
        spec = every[index_facts.find(library, again) if again else source].spec
        spec = spec if again else _spec(spec, wanted, model, _encoders(found))

        def built() -> IndexReport:
            how = corpus.options(found, at=time(), why="built beside the others")
            return building.build(corpus.folder(found), source, spec, _encoders(found), how, bar)

        async def deed() -> IndexReport:
            async with recorded(desk.ledger, "index", f"build {spec.id} of {source}", actor):
                actor.must_be(*STAFF)
                return await asyncio.to_thread(_tried, built)

        report = asyncio.run(deed())
    bar.close()
    if report.fate == "unchanged":
        out.print(
            f"{report.index} is there already, and holds the documents that serve.", highlight=False, soft_wrap=True
        )
    else:
        told = f"{report.chunks:,} passages, {report.windows:,} windows, {report.embedded:,} of them embedded anew"
        out.print(f"Built {report.index}: {told}.", highlight=False, soft_wrap=True)
    out.print(f"\nA release names it so:\n\nretrieval:\n  index: {report.index}\n", highlight=False, soft_wrap=True)
    out.print(f"Next: opsplane index evaluate {report.index} --record", highlight=False, soft_wrap=True)


@cli.command()
def evaluate(  # noqa: PLR0913 - each option is a parameter
    new: Named,
    against: Annotated[str, typer.Option(help="The index to compare with; left out: the stable release's.")] = "",
    dataset: Annotated[Path, typer.Option(help="A file of golden questions, or a folder of them.")] = Path(
        "tests/golden"
    ),
    record: Annotated[
        bool, typer.Option("--record", help="Put the verdict on the record: rollouts ask for it.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", help="Write the whole report as JSON.")] = None,
    as_json: Json = False,
    release: Annotated[str | None, typer.Option("--release", help="Id of a release file. [OPSPLANE_RELEASE]")] = None,
    person: As = "operator",
    data: Data = None,
) -> None:
    """Ask golden questions with the passages of two indexes, and tell whether the new one does no worse.

    recall@5 and nDCG@10 go by document, right answers and groundedness by the
    whole turn with the release that is named. Differences are paired by
    question; a measure that may have lost more than the policy's margin, or
    one more wrong figure, and the index has not passed.

    Ends with 0 where it passed, with 1 where it did not.

    \b
    opsplane index evaluate all-MiniLM-L6-v2-uint8-256 --record
    """
    found = shell.chosen(data, release=release)
    actor = shell.person(found, person)
    margin = policy.load(found.policy).index_margin
    with _desk(found) as desk:
        library = index_facts.library_of(desk)
        wanted = index_facts.find(library, new)
        other = index_facts.find(library, against or _serving(desk, library))
    with shell.progress() as bar:
        report = index_evaluation.run(dataset, wanted, other, found, margin, bar)
    if output:
        _write(output, report.content)
    if record:
        _write(reports(found) / f"{report.digest}.json", report.content)
        with _desk(found) as desk:
            asyncio.run(indexes.evaluated(desk.ledger, report.event(), actor=actor))
        err.print(f"Recorded: {'passed' if report.passed else 'not passed'}.", highlight=False)
    if as_json:
        sys.stdout.write(report.content.decode() + "\n")
    else:
        out.print(Markdown(index_comparison.as_markdown(report)))
    raise typer.Exit(shell.FINE if report.passed else shell.VIOLATED)


@cli.command()
def restore(
    name: Named,
    generation: Annotated[str, typer.Argument(help="The generation, as `show` lists them.")],
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking back.")] = False,
    person: As = "operator",
    data: Data = None,
) -> None:
    """Let an earlier state of the documents serve again, until an ingestion brings something new."""
    found = shell.chosen(data)
    actor = shell.person(found, person)
    text = "/" + arguments.written(["index", name, "restore", generation], {"reason": reason} if reason else {})
    with _desk(found) as desk:
        shell.show(asyncio.run(commands.run(text, actor, desk)))
        if not yes and not sys.stdin.isatty():
            raise InvalidRequest("Nothing was done: say --yes where nobody can be asked back.")
        if not yes and not typer.confirm("Go on?", err=True):
            err.print("Nothing was done.")
            raise typer.Exit(shell.VIOLATED)
        if panel := asyncio.run(commands.go_on("yes", actor, desk, "")):
            shell.show(panel)


@cli.command()
def why(  # noqa: PLR0913 - each option is a parameter
    question: Annotated[str, typer.Argument(help="The question, as a customer asked it.")],
    name: Annotated[str, typer.Option("--index", help="Left out: the stable release's.")] = "",
    generation: Annotated[str, typer.Option(help="Left out: the one that serves, or served on the day.")] = "",
    as_of: Annotated[str, typer.Option(help="As on this day, YYYY-MM-DD.")] = "",
    release: Annotated[
        str, typer.Option(help="The release whose way of searching counts; left out: the stable one.")
    ] = "",
    as_json: Json = False,
    person: As = "operator",
    data: Data = None,
) -> None:
    """Show why a question finds what it finds: candidates, scores, and what is not answered from and why.

    \b
    opsplane index why "What does an overdraft cost?" --as-of 2026-03-03
    """
    values = {"index": name, "generation": generation, "as-of": as_of, "release": release}
    _command(["why", question], {key: value for key, value in values.items() if value}, person, data, download=as_json)


@cli.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="[INDEX]...", help="Left out: all of them.")] = None,
    mend: Annotated[bool, typer.Option("--mend", help="Build anew what does not hold.")] = False,
    audit: Annotated[bool, typer.Option("--audit", help="Show what became of every source file.")] = False,
    sample: Annotated[int, typer.Option(help="Passages that are embedded anew.", min=0)] = reconcile.SAMPLE,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Compare what indexes hold with the catalogue, both ways, down to every vector; embed some passages anew.

    Ends with 1 where something does not hold and was not mended.
    """
    chosen, known = shell.chosen(data), _encoders(shell.chosen(data))
    folder, store = corpus.folder(chosen), vector_store.opener(chosen)
    with _desk(chosen) as desk:
        library = index_facts.library_of(desk)
        wanted = [index_facts.find(library, one) for one in names or library.indexes()]
    with shell.progress() as bar:

        def looked(index: str) -> Verified:
            return _tried(lambda: reconcile.verify(folder, index, known, sample=sample, store=store, progress=bar))

        found = [looked(one) for one in wanted]
        for place, one in enumerate(found):
            if mend and not one.sound:
                _tried(lambda one=one: reconcile.mend(folder, one.index, known, time(), bar, store=store))  # type: ignore[misc]
                found[place] = looked(one.index)
                found[place].mended = found[place].sound
    _tell(found, _tried(lambda: reconcile.left_over(folder, store)), audit=audit, as_json=as_json)
    raise typer.Exit(shell.FINE if all(one.sound for one in found) else shell.VIOLATED)


@cli.command()
def collect(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and delete nothing.")] = False,
    data: Data = None,
) -> None:
    """Give up indexes that no release needs, delete those whose time on the record is over; done every night too.

    What runs that broke off have left in the store of vectors goes with them.
    """
    chosen = shell.chosen(data)
    folder, store = corpus.folder(chosen), vector_store.opener(chosen)
    with _desk(chosen) as desk:
        out.print(Markdown(index_panels.collected(index_collection.collect(desk, dry_run=dry_run))))
    left = _tried(lambda: (reconcile.left_over if dry_run else reconcile.tidy)(folder, store))
    if left:
        would = "would go" if dry_run else "are gone"
        out.print(f"Left over and {would}: {', '.join(left)}", highlight=False, soft_wrap=True)


@cli.command("cloud")
def cloud_(as_json: Json = False, data: Data = None) -> None:
    """List what exists in Vertex AI Vector Search of this product, with the machines that it costs.

    \b
    opsplane index cloud --json
    """
    chosen = shell.chosen(data)
    found = vector_store.holdings(chosen, corpus.folder(chosen))
    if as_json:
        shell.print_json([asdict(one) for one in found])
        return
    for one in found:
        out.print(_held(one), highlight=False, markup=False, soft_wrap=True)
    if not found:
        out.print("Nothing of this product exists in Vertex AI Vector Search here.")


def reports(found: Settings) -> Path:
    """Where the reports of recorded evaluations are kept, each under its SHA-256."""
    return found.data / "reports"


@contextmanager
def _desk(found: Settings) -> Iterator[Desk]:
    """A desk with the library open; the embedding model is opened when it is needed."""
    library = Library(corpus.folder(found), _encoders(found), vector_store.opener(found))
    with closing(library), shell.desk(found, "") as desk:
        yield replace(desk, library=library)


def _encoders(found: Settings) -> Encoders:
    return Encoders(
        {
            ROUNDED: lambda: bootstrap.embeddings_of(found, lambda *_: None),
            EXACT: lambda: embedding.load(found.data / "models", exact=True),
        }
        | gemini(remote(found))
    )


def _command(
    words: Sequence[str], values: Mapping[str, str], who: str, data: Path | None, *, download: bool = False
) -> None:
    """Run a slash command with the library open."""
    found = shell.chosen(data)
    actor = shell.person(found, who)
    with _desk(found) as desk:
        panel = asyncio.run(commands.run(f"/{arguments.written(words, values)}", actor, desk))
    shell.show(panel, download=download)


def _serving(desk: Desk, library: Library) -> str:
    """The index of the stable release, or the first where none serves yet; raise `Conflict` where there is none."""
    known = library.indexes()
    wanted = index_facts.stable(desk.plane.state)
    if found := wanted if wanted in known else library.default():
        return found
    raise Conflict("There is no index yet. opsplane ingest <folder> makes the first.")


def _spec(base: IndexSpec, wanted: Mapping[str, float | None], model: str, known: Encoders) -> IndexSpec:
    """How the new index is made: as the other one, but for what was asked for."""
    if model and model not in known:
        raise InvalidRequest(f"There is no embedding model {model[:60]!r}; there are {', '.join(known)}.")
    given = {name: value for name, value in wanted.items() if value is not None}
    try:
        chunking = Chunking.model_validate({**base.chunking.model_dump(), **given})
    except ValidationError as error:
        first = error.errors()[0]
        field = "_".join(map(str, first["loc"])) or "chunking"
        raise InvalidRequest(f"--{field.replace('_', '-')}: {first['msg']}") from error
    return IndexSpec(embedding=model or base.embedding, chunking=chunking, edition=base.edition)


def _tried(deed: Callable[[], T]) -> T:
    """What the library's deeds give; their refusals in the product's words."""
    try:
        with vector_store.told():
            return deed()
    except Busy as error:
        raise Conflict("Documents are being ingested: try again when that is over.") from error
    except LookupError as error:
        raise NotFound(str(error)) from error


def _tell(found: Sequence[Verified], left: Sequence[str], *, audit: bool, as_json: bool) -> None:
    if as_json:
        shell.print_json({"indexes": [asdict(one) | {"sound": one.sound} for one in found], "left_over": list(left)})
        return
    out.print(Markdown(index_panels.verified(found, audit=audit)))
    if left:
        err.print(f"{len(left)} stores are left over from runs that broke off; the next ingestion deletes them.")


def _held(one: Holding) -> str:
    """One thing that exists in the cloud, as a line."""
    about = (
        one.state,
        one.machine,
        f"{one.rows:,} vectors" if one.base else "",
        f"of {one.installation}",
        one.made[:16],
    )
    return f"{' '.join((one.kind, one.base)).strip()}: {', '.join(part for part in about if part)}; {one.name}"


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be written: {error.strerror or error}") from error
