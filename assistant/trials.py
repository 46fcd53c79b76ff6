"""Judged questions over the product's own retrieval: the set, the scratch library that holds it, how it is searched."""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from assistant import corpus, passages, vector_store
from assistant.embedders import embedders
from assistant.settings import Settings
from knowledge import beir, trial
from knowledge.beir import BadRow, Corpus
from knowledge.catalogue import Catalogue
from knowledge.chunk import cut, windows
from knowledge.document import UNDATED, Document, fingerprint
from knowledge.embedding import MiniLM
from knowledge.encoder import Encoder
from knowledge.ingest import Busy, Options
from knowledge.intake import Progress
from knowledge.judged import Asking, Question, Ranking, questions
from knowledge.library import Library, Reader
from knowledge.rank import SearchPlan
from knowledge.spec import IndexSpec
from opsplane import registry
from opsplane.errors import Conflict, InvalidRequest, NotFound
from opsplane.evaluation import dataset as datasets
from opsplane.release import Release

_CUSTOMER = frozenset({"customer"})
_SAMPLE = 40  # documents that the cost of an index is judged by
_TIMED = 8
_FOLDER = "trials"

Value = TypeVar("Value", bound=BaseModel)
Read = TypeVar("Read")


@dataclass(frozen=True)
class JudgedSet:
    """Documents and the questions that are asked of them. `notes` tell what was left out or looks odd; `names` gives
    the name of a document in the judgements by its id; `library` is a folder that holds them already."""

    title: str
    documents: Sequence[Document]
    names: Mapping[str, str]
    questions: Sequence[Question]
    reader: Reader
    digest: str
    notes: tuple[str, ...] = ()
    library: Path | None = None


def read(corpus_file: Path, queries_file: Path, qrels_file: Path) -> JudgedSet:
    """A set in BEIR's form; raise `InvalidRequest` with file and line of what cannot be read."""
    texts, asked, judged = (
        _file(beir.corpus, corpus_file),
        _file(beir.queries, queries_file),
        _file(beir.qrels, qrels_file),
    )
    documents, names = beir.documents(texts)
    chosen = questions(asked, judged)
    if not chosen:
        raise InvalidRequest(f"{qrels_file} judges nothing relevant to a question of {queries_file}: do they belong?")
    digest = hashlib.sha256(f"{texts.digest}{sorted((one.id, *sorted(one.judged)) for one in chosen)}".encode())
    return JudgedSet(
        title=corpus_file.name,
        documents=documents,
        names=names,
        questions=chosen,
        reader=Reader(UNDATED, _CUSTOMER),
        digest=digest.hexdigest(),
        notes=tuple(_oddities(texts, asked, judged, chosen)),
    )


def golden(path: Path, settings: Settings, model: MiniLM, spec: IndexSpec, progress: Progress) -> JudgedSet:
    """Golden questions over the documents that an index serves here, as of the day of the set.

    Asked are those that want an answer out of documents and stand for themselves; relevant is what they may cite.
    Where the library is empty, its sources are ingested first.
    """
    golden_set = datasets.load(path)
    folder = corpus.folder(settings)
    with closing(Library(folder, embedders(settings, model), vector_store.opener(settings))) as library:
        if not library.generation():
            corpus.refresh(settings, model, progress)
        documents = library.whole(spec.id if spec.id in library.indexes() else "")
    known = {one.id for one in documents}
    chosen = [
        Question(case.id, case.question, dict.fromkeys(known & set(case.documents), 1.0))
        for case in golden_set.cases
        if case.expect == "answer" and not case.history and known & set(case.documents)
    ]
    if not chosen:
        raise InvalidRequest(f"{path}: no question names a document of the library. Ingest the documents first.")
    left = len(golden_set.cases) - len(chosen)
    told = "\n".join([*sorted(fingerprint(one) for one in documents), *(one.id for one in chosen)])
    return JudgedSet(
        title=str(path),
        documents=documents,
        names={},
        questions=chosen,
        reader=Reader(golden_set.as_of, _CUSTOMER),
        digest=hashlib.sha256(told.encode()).hexdigest(),
        notes=(f"{left:,} golden questions left out: about accounts, declined or in a conversation",) if left else (),
        library=folder,
    )


def sample(some: Sequence[Question], most: int) -> list[Question]:
    """At most so many questions, the same ones every time."""
    if len(some) <= most:
        return list(some)
    drawn = sorted(some, key=lambda one: hashlib.sha256(one.id.encode()).digest())[:most]
    kept = {one.id for one in drawn}
    return [one for one in some if one.id in kept]


@contextmanager
def indexed(
    judged: JudgedSet, spec: IndexSpec, settings: Settings, model: MiniLM, progress: Progress, *, fresh: bool = False
) -> Iterator[Asking]:
    """The documents of a set indexed as `spec` says, ready to be asked.

    The library stays under the data folder, named after documents and index, so that the same is embedded once;
    `fresh` makes it anew. A run that broke off is carried on.
    """
    known = embedders(settings, model)
    if spec.embedding not in known:
        raise NotFound(f"There is no embedding model {spec.embedding!r}. There are: {', '.join(known)}.")
    folder = place(judged, spec, settings)
    if folder != judged.library:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        try:
            trial.shelve(judged.documents, folder, known, spec, Options(at=time()), progress)
        except Busy as error:
            raise Conflict(f"{error} Wait until the other trial of this set has ended.") from error
    with closing(Library(folder, known)) as library:
        yield Asking(library, judged.reader, spec.id, judged.names)


def place(judged: JudgedSet, spec: IndexSpec, settings: Settings) -> Path:
    """The folder of the library that holds a set in that index, or is to hold it."""
    if judged.library:
        with closing(Catalogue(judged.library / "catalogue.db")) as catalogue:
            if catalogue.current(spec.id):
                return judged.library
    told = hashlib.sha256("\n".join(one.sha256 for one in judged.documents).encode())
    told.update("\n".join(one.name for one in judged.documents).encode())
    return settings.data / _FOLDER / f"{told.hexdigest()[:16]}-{spec.id}"


def asked(
    asking: Asking, some: Sequence[Question], plan: SearchPlan, progress: Progress, what: str, *, timed: bool = False
) -> list[Ranking]:
    """All questions, one after the other; the first search, which opens the index, is made beforehand."""
    asking.rank(Question("", "warm up", {}), plan)
    found = []
    for number, one in enumerate(some):
        if number % 10 == 0:
            progress(what, number, len(some))
        found.append(asking.rank(one, plan, timed=timed))
    progress(what, len(some), len(some))
    return found


def cost(judged: JudgedSet, spec: IndexSpec, encoder: Encoder) -> tuple[int, float]:
    """About how many windows an index would have, and the seconds that embedding them takes on one core."""
    step = max(1, len(judged.documents) // _SAMPLE)
    sample = judged.documents[::step][:_SAMPLE]
    count = encoder.count_tokens
    texts = [
        text
        for one in sample
        for chunk in cut(one, spec.chunking, count)
        for text in windows(chunk, spec.chunking, count)
    ]
    length, whole = _length(sample), _length(judged.documents)
    timed = texts[:: max(1, len(texts) // _TIMED)][:_TIMED]
    began = perf_counter()
    for text in timed:
        encoder.read(text)
    each = (perf_counter() - began) / max(len(timed), 1)
    number = round(len(texts) * whole / max(length, 1))
    return number, number * each


def release_of(settings: Settings) -> Release:
    """The release that the settings name. Raises `NotFound`."""
    releases = registry.load_all(settings.releases)
    if settings.release not in releases:
        raise NotFound(f"There is no release {settings.release!r}. Files have: {', '.join(sorted(releases))}.")
    return releases[settings.release]


def plan(release: Release, given: Sequence[str]) -> SearchPlan:
    """How a release searches, with `field=value` in place of what it says."""
    return changed(passages.plan(release), given, "--setting")


def spec(release: Release, settings: Settings, given: Sequence[str]) -> IndexSpec:
    """How the release's index is made, or the shipped one where that is not known here; with `field=value` of its
    chunking changed."""
    known = corpus.SPEC
    if (corpus.folder(settings) / "catalogue.db").exists():
        with closing(corpus.catalogue(settings)) as catalogue:
            built = catalogue.indexes(retired=True).get(release.retrieval.index)
            known = built.spec.beside(1) if built else known
    return known.model_copy(update={"chunking": changed(known.chunking, given, "--chunking")})


def changed(value: Value, given: Sequence[str], option: str) -> Value:
    """A value with fields replaced by `field=value`; raise `InvalidRequest` naming what there is."""
    fields: dict[str, Any] = {}
    for one in given:
        name, sign, told = one.partition("=")
        if not sign or name not in type(value).model_fields:
            raise InvalidRequest(f"{option} {one[:60]}: write field=value with one of {', '.join(_fields(value))}.")
        try:
            fields[name] = yaml.safe_load(told)
        except yaml.YAMLError as error:
            raise InvalidRequest(f"{option} {one[:60]}: the value cannot be read.") from error
    try:
        return type(value).model_validate(value.model_dump() | fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or ", ".join(fields)
        raise InvalidRequest(f"{option} {where}: {first['msg']}.") from error


def _fields(value: BaseModel) -> list[str]:
    return list(type(value).model_fields)


def _file(reader: Callable[[Path], Read], path: Path) -> Read:
    try:
        return reader(path)
    except BadRow as error:
        raise InvalidRequest(str(error)) from error
    except OSError as error:
        raise InvalidRequest(f"{path}: {error.strerror or error}.") from error


def _oddities(
    texts: Corpus, asked: Mapping[str, str], judged: Mapping[str, Mapping[str, float]], chosen: Sequence[Question]
) -> Iterator[str]:
    """Sentences on what whoever reads the figures should know of the set."""
    there = {one.id for one in texts.texts}
    unknown = {name for one in chosen for name in one.judged if one.judged[name] > 0} - there
    counts = (
        (len(asked) - len(chosen), "questions left out: nothing is judged relevant to them"),
        (len(judged.keys() - asked.keys()), "judged questions are not among the questions"),
        (len(unknown), "relevant documents are not in the corpus and count as not found"),
        (texts.empty, "documents are empty and cannot be found"),
        (len(texts.repeated), "ids come more than once in the corpus: the first row of each stands"),
    )
    yield from (f"{number:,} {told}" for number, told in counts if number)


def _length(documents: Sequence[Document]) -> int:
    return sum(len(section.text) for one in documents for section in one.sections)
