"""Documents that wait for a second person: beside those that are served, published all at once, or let go of."""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assistant import corpus, vector_store
from assistant.document_changes import Changes, compare
from assistant.dropped import Dropped
from assistant.embedders import embedders
from assistant.publishing import LISTED
from assistant.settings import Settings
from knowledge.catalogue import Catalogue, Generation
from knowledge.embedding import MiniLM
from knowledge.ingest import Busy, Options, alone, ingest
from knowledge.report import Fate, IngestReport
from knowledge.sources.source import SourceMissing
from opsplane import publication
from opsplane.approval import Request, Requests, State
from opsplane.document_events import DocumentsServed
from opsplane.errors import Conflict
from opsplane.publication import Flip, Shelves

Progress = Callable[[str, int, int], None]
_YOUNG = 3600.0  # seconds for which a folder that no request names may still be in the making


@dataclass(frozen=True)
class Staged:
    """What was made ready; without `flips` nothing would change. `bound` are the details of the request to come."""

    report: IngestReport
    changes: Changes
    flips: tuple[Flip, ...] = ()
    bound: Mapping[str, str] | None = None


class Staging:
    """Stages documents beside the library of these settings; `model` gives the embedding model when it is wanted.

    An index of fewer than `small` windows is never changed too much.
    Each set of dropped files lies in a folder of its own below `dropped`, and holds the files of the set before it
    too: the one among the remembered sources counts. So files change at one moment, when that name is written.
    """

    def __init__(self, settings: Settings, model: Callable[[], MiniLM], small: int = corpus.SMALL) -> None:
        self._settings = settings
        self._small = small
        self._model = model
        self.library = corpus.folder(settings).absolute()
        self._shelf = self.library / "dropped"

    @property
    def shelves(self) -> Shelves:
        """The library as publishing needs it."""
        return Shelves(self.void, self.publish)

    # making ready

    def look(self, progress: Progress, at: float) -> IngestReport:
        """What would change if the remembered sources were looked at again; raises `Conflict`."""
        return self._ingest(
            self._sources(), corpus.options(self._settings, small=self._small, at=at, dry_run=True), progress
        )

    def stage(self, files: Sequence[Dropped], progress: Progress, at: float, on: date) -> Staged:
        """Make generations of the remembered sources and these files, which are not served; raises `Conflict`.

        `at` is the time in seconds since 1970, `on` the day of the bank.
        """
        if not files:
            return self._staged(self._sources(), {}, progress, at, on)
        before, name = self._laid(self._sources()), secrets.token_hex(4)
        folder = self._shelf / name
        _lay(folder, files, self._shelf / before if before else None)
        wanted = [*(one for one in self._sources() if one != str(self._shelf / before)), str(folder)]
        bound = {"staged": name, "files": str(len(files)), **({"instead": before} if before else {})}
        try:
            staged = self._staged(wanted, bound, progress, at, on)
        except BaseException:
            self._discard(name)
            raise
        if staged.flips:
            (self._shelf / f"{name}.json").write_text(staged.report.model_dump_json(), encoding="utf-8")
        else:
            self._discard(name)
        return staged

    def _staged(self, wanted: list[str], bound: Mapping[str, str], progress: Progress, at: float, on: date) -> Staged:
        how = corpus.options(self._settings, small=self._small, at=at, why="published", dry_run=True)
        planned = self._ingest(wanted, how, progress)
        self._must_fit(planned)
        report = planned
        if any(one.fate is Fate.PLANNED for one in planned.indexes):
            staging = corpus.options(self._settings, small=self._small, at=at, why="published", stage=True)
            report = self._ingest(wanted, staging, progress)
        report = _without(report, self._shelf, bound.get("staged", ""))
        flips = tuple(Flip(one.index, one.before, one.generation) for one in report.indexes if one.fate is Fate.STAGED)
        if not flips:
            return Staged(report, Changes((), (), ()))
        details = publication.details(flips, **bound, report=report.digest)
        return Staged(report, self.changes(flips, on), flips, details)

    def _must_fit(self, planned: IngestReport) -> None:
        """Raise `Conflict` where this is nothing for one request."""
        frozen = [one for one in planned.indexes if one.fate is Fate.FROZEN]
        if frozen:
            raise Conflict(
                f"Nothing was staged: {max(one.share for one in frozen):.0%} of all windows would change at once, more "
                f"than {self._settings.large_change} % (OPSPLANE_LARGE_CHANGE). That makes another index, which a "
                "release has to name: opsplane ingest builds it beside the one that serves."
            )
        if not all(one.before for one in planned.indexes):
            raise Conflict("Nothing was staged: no documents are served yet. opsplane ingest fills the library.")

    def _ingest(self, wanted: Sequence[str], how: Options, progress: Progress) -> IngestReport:
        sources = corpus.opened(wanted, self._settings)
        try:
            with vector_store.told():
                return ingest(sources, self.library, embedders(self._settings, self._model()), [], how, progress)
        except Busy as error:
            raise Conflict(f"{error} Try again in a moment.") from error
        except SourceMissing as error:
            raise Conflict(f"Nothing was staged: {error}") from error

    def let_go(self, staged: Staged) -> None:
        """Delete the files of what nobody was asked for."""
        if name := (staged.bound or {}).get("staged", ""):
            self._discard(name)

    # looking

    def changes(self, flips: Sequence[Flip], on: date) -> Changes:
        """What customers would be answered from differently."""
        with self._catalogue() as catalogue:
            sides = [catalogue.generation(name) for name in (flips[0].before, flips[0].after)]
            before, after = (list(catalogue.documents(one.documents.values()).values()) if one else [] for one in sides)
        return compare(before, after, on)

    def report(self, request: Request) -> IngestReport | None:
        """The report that was made when it was staged; None where it is gone or is another."""
        try:
            text = (self._shelf / f"{request.details.get('staged', '')}.json").read_text(encoding="utf-8")
        except OSError:
            return None
        known = hashlib.sha256(text.encode()).hexdigest() == request.details["report"]
        return IngestReport.model_validate_json(text) if known else None

    # deciding

    def void(self, request: Request) -> str:
        """Why a request cannot be carried out any more; "" where it can, also where it was cut off in the middle."""
        with self._catalogue() as catalogue:
            return self._void(catalogue, request)

    def publish(self, request: Request) -> tuple[DocumentsServed, ...]:
        """Serve what a request names, all of it or nothing, and remember the files; raises `Conflict`.

        Whoever ingests waits meanwhile. Cut off before the sources are written nothing has happened; after that the
        next ingestion makes the very generations that were agreed to.
        """
        at = request.decided.timestamp() if request.decided else time.time()
        try:
            with alone(self.library), self._catalogue() as catalogue:
                if why := self._void(catalogue, request):
                    raise Conflict(why)
                sources = self._sources()
                if name := request.details.get("staged", ""):
                    kept = [one for one in sources if Path(one).parent != self._shelf]
                    corpus.remember([*kept, str(self._shelf / name)], self._settings)
                if not _flipped(catalogue, publication.flips(request.details), at, request.id):
                    corpus.remember(sources, self._settings)
                    raise Conflict(_MOVED)
                return self._served(catalogue, request)
        except Busy as error:
            raise Conflict(f"{error} `/approve {request.id}` carries it on in a moment.") from error

    def tidy(self, requests: Requests, now: float) -> None:
        """Let go of what was staged for requests that are over. Whatever is in use stays.

        `now` is in seconds since 1970.
        """
        try:
            with alone(self.library), self._catalogue() as catalogue:
                mine = [one for one in requests.values() if one.action == publication.PUBLISH]
                alive = [one for one in mine if self._alive(catalogue, one)]
                self._forget([one for one in mine if one not in alive], alive, catalogue)
        except Busy:
            return  # at the next occasion
        names = {one.details.get("staged", "") for one in alive} | {self._laid(self._sources())}
        over = {one.details.get("staged", "") for one in mine}
        for path in list(self._shelf.iterdir()) if self._shelf.is_dir() else ():
            name = path.name.removesuffix(".json")
            if name not in names and (name in over or path.stat().st_mtime < now - _YOUNG):
                self._discard(name)

    def _void(self, catalogue: Catalogue, request: Request) -> str:
        sources = self._sources()
        name = request.details.get("staged", "")
        if name and self._laid(sources) not in (request.details.get("instead", ""), name):
            return _MOVED
        if name and not (self._shelf / name).is_dir():
            return "Void: the files that were staged are not there any more. Drop them anew."
        for flip in publication.flips(request.details):
            if catalogue.current(flip.index) not in (flip.before, flip.after):
                return _MOVED
            if catalogue.generation(flip.after) is None:
                return "Void: what was staged is not there any more. Ask anew."
        return ""

    def _served(self, catalogue: Catalogue, request: Request) -> tuple[DocumentsServed, ...]:
        """As it goes on the record."""
        report = self.report(request)
        embedded = {one.index: one.embedded for one in report.indexes} if report else {}
        events = []
        for flip in publication.flips(request.details):
            old, new = (_documents(catalogue.generation(name)) for name in (flip.before, flip.after))
            changed = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
            events.append(
                DocumentsServed(
                    index=flip.index,
                    generation=flip.after,
                    before=flip.before,
                    why=request.reason,
                    added=tuple(sorted(new.keys() - old.keys())[:LISTED]),
                    changed=tuple(changed[:LISTED]),
                    removed=tuple(sorted(old.keys() - new.keys())[:LISTED]),
                    documents=len(new),
                    refused=len(report.refused) if report else 0,
                    embedded=embedded.get(flip.index, 0),
                    report=request.details["report"],
                    request=request.id,
                    approved_by=request.decider.id if request.decider else "",
                )
            )
        return tuple(events)

    def _alive(self, catalogue: Catalogue, request: Request) -> bool:
        """Whether a request may still be carried out."""
        return request.state in (State.OPEN, State.APPROVED) and not self._void(catalogue, request)

    def _forget(self, over: Sequence[Request], alive: Sequence[Request], catalogue: Catalogue) -> None:
        """Drop generations that only these requests name and that never served."""
        kept = {flip.after for one in alive for flip in publication.flips(one.details)}
        for flip in (flip for one in over for flip in publication.flips(one.details) if flip.after not in kept):
            served = {one.generation for one in catalogue.services(flip.index)}
            if flip.after not in served:
                catalogue.forget(flip.after)

    def _sources(self) -> list[str]:
        return corpus.sources(self._settings) or [str(self._settings.corpus.resolve())]

    def _laid(self, sources: Collection[str]) -> str:
        """The name of the set of dropped files that counts; "" where there is none."""
        return next((Path(one).name for one in sources if Path(one).parent == self._shelf), "")

    def _discard(self, name: str) -> None:
        shutil.rmtree(self._shelf / name, ignore_errors=True)
        (self._shelf / f"{name}.json").unlink(missing_ok=True)

    @contextmanager
    def _catalogue(self) -> Iterator[Catalogue]:
        with closing(Catalogue(self.library / "catalogue.db")) as catalogue:
            yield catalogue


_MOVED = "Void: the library has changed since this was asked for. Nothing was served; ask anew."


def _flipped(catalogue: Catalogue, flips: Sequence[Flip], at: float, request: str) -> bool:
    """Serve all of them; False, and all as it was, where one index has moved."""
    done: list[Flip] = []
    for flip in flips:
        if catalogue.current(flip.index) == flip.after:
            continue
        if not _serve(catalogue, flip.after, flip.before, at, f"published by request {request}"):
            for one in done:
                _serve(catalogue, one.before, one.after, at, f"request {request} was void")
            return False
        done.append(flip)
    return True


def _serve(catalogue: Catalogue, name: str, instead_of: str, at: float, why: str) -> bool:
    generation = catalogue.generation(name)
    return generation is not None and catalogue.serve(generation, at, why, instead_of=instead_of)


def _documents(generation: Generation | None) -> Mapping[str, str]:
    return generation.documents if generation else {}


def _without(report: IngestReport, shelf: Path, name: str) -> IngestReport:
    """The report with dropped files under their own names."""
    start = f"{shelf / name}/"
    refused = [one.model_copy(update={"name": one.name.removeprefix(start)}) for one in report.refused]
    duplicates = [
        one.model_copy(update={"name": one.name.removeprefix(start), "kept": one.kept.removeprefix(start)})
        for one in report.duplicates
    ]
    return report.model_copy(update={"refused": tuple(refused), "duplicates": tuple(duplicates)})


def _lay(folder: Path, files: Sequence[Dropped], before: Path | None) -> None:
    """The files of the set before, and these over them, durably."""
    folder.mkdir(parents=True)
    for path in before.iterdir() if before and before.is_dir() else ():
        os.link(path, folder / path.name)
    for one in files:
        fresh = folder / f".{secrets.token_hex(4)}"  # never written through a link to the file of the set before
        with fresh.open("xb") as out:
            out.write(one.content)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(folder / one.name)
