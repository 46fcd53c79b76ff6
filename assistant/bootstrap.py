"""Where the real parts are chosen and put together; the only such place."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import import_module
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path

from langchain_core.language_models import BaseChatModel

from assistant import account_tools, corpus, llm, passages
from assistant.accounts import Bank
from assistant.agent import Agent
from assistant.commands import Desk
from assistant.extractive.warm import Warming
from assistant.settings import Settings
from assistant.signin import People, seed_demo
from knowledge import embedding
from knowledge.embedding import MiniLM
from knowledge.ingest import IngestReport
from knowledge.library import Library
from opsplane import registry, spend
from opsplane.access import SERVICE
from opsplane.errors import InvalidRelease, InvalidRequest
from opsplane.events import ServiceStarted, ServiceStopped
from opsplane.exchange import Tier
from opsplane.guardrails.scope import Scope
from opsplane.ledger.database import connect
from opsplane.ledger.store import Ledger
from opsplane.plane import Plane
from opsplane.release import Release
from opsplane.turn import Parts

Clock = Callable[[], datetime]
Progress = Callable[[str, int, int], None]

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
os.environ.setdefault("LANGCHAIN_TRACING_V2", "false")
os.environ.setdefault("LANGSMITH_TRACING", "false")


def now() -> datetime:
    """The clock of the running product."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class App:
    """The product put together."""

    settings: Settings
    clock: Clock
    parts: Parts
    people: People
    bank: Bank
    library: Library

    @property
    def desk(self) -> Desk:
        """What commands work on."""
        return Desk(self.parts.plane, self.parts.ledger)

    def today(self) -> date:
        """The bank's calendar day."""
        return _today(self.clock, self.settings)


@contextmanager
def build(settings: Settings, progress: Progress, clock: Clock = now, *, refresh: bool = False) -> Iterator[App]:
    """The product, ready to answer; an empty library is filled first, and with `refresh` any is brought up to date.

    Raises `InvalidRelease`, `RecordUnavailable`, `Conflict` or `InvalidRequest`: then nothing was started.
    """
    releases = registry.load_all(settings.releases)  # before anything is written: a corrupt file stops the start
    embeddings = _embeddings(settings, progress)
    _check_index(releases, settings.release, corpus.index(embeddings))
    with ExitStack() as open_parts:
        library = open_parts.enter_context(closing(Library.open(corpus.folder(settings), embeddings)))
        if refresh or not library.generation:
            corpus.refresh(settings, embeddings, progress)
        ledger = open_parts.enter_context(closing(Ledger(connect(settings.database("record")), clock)))
        plane = Plane(ledger)
        plane.configure(releases, settings.release)
        ledger.append_now(ServiceStarted(version=version("opsplane"), settings=_public(settings)), SERVICE)
        open_parts.callback(ledger.append_now, ServiceStopped(), SERVICE)
        known = open_parts.enter_context(closing(people(settings)))
        if settings.demo:
            seed_demo(known)
        bank = open_parts.enter_context(closing(_bank(settings, _today(clock, settings))))
        parts = Parts(
            plane=plane,
            ledger=ledger,
            scope=_scope(plane.stable(), embeddings),
            retrieve=passages.retriever(library, lambda: _today(clock, settings)),
            responder=_agent(bank, embeddings, lambda: _today(clock, settings)),
            prices=spend.load(),
        )
        app = App(settings, clock, parts, known, bank, library)
        open_parts.callback(embeddings.keep, _recent(settings))
        if refresh:
            open_parts.callback(Warming(library.in_force(app.today(), passages.CUSTOMERS), embeddings).stop)
        yield app


def ingest_corpus(settings: Settings, progress: Progress) -> IngestReport | None:
    """Bring the library up to date with its sources; None where it was left as it is."""
    return corpus.refresh(settings, _embeddings(settings, progress), progress)


def ingest_path(path: Path, settings: Settings, progress: Progress, *, replace: bool) -> IngestReport:
    """Put a file or folder into the library, beside what is there or instead of it."""
    return corpus.add(path, settings, _embeddings(settings, progress), progress, replace=replace)


def people(settings: Settings) -> People:
    """Who may sign in."""
    settings.data.mkdir(parents=True, exist_ok=True)
    return People.open(connect(settings.database("chat")))


def _embeddings(settings: Settings, progress: Progress) -> MiniLM:
    settings.data.mkdir(parents=True, exist_ok=True)
    progress("Opening the embedding model", 0, 1)
    model = embedding.load(settings.data / "models")
    model.recall(_recent(settings))
    progress("Opening the embedding model", 1, 1)
    return model


def _check_index(releases: Mapping[str, Release], stable: str, index: str) -> None:
    wanted = releases[stable].retrieval.index if stable in releases else index
    if wanted != index:
        raise InvalidRelease(f"{stable}: retrieval.index: there is no index {wanted!r}; the library is {index!r}")


def _scope(release: Release, embeddings: MiniLM) -> Scope:
    """Told its examples before the first question, since embedding them takes a second."""
    scope = Scope(embeddings.encode)
    if exemplars := release.guardrails.scope_exemplars:
        scope.learn(exemplars)
    return scope


def _recent(settings: Settings) -> Path:
    return settings.data / "models" / "recent.npz"


def _agent(bank: Bank, embeddings: MiniLM, today: Callable[[], date]) -> Agent:
    def chat_model(release: Release, tier: Tier) -> BaseChatModel:
        return llm.chat_model(release, tier, embeddings)

    return Agent(chat_model, account_tools.tools(), bank, today)


def _bank(settings: Settings, today: date) -> Bank:
    module, _, function = settings.bank.partition(":")
    try:
        opener = attrgetter(function)(import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidRequest(f"OPSPLANE_BANK: {settings.bank!r} cannot be loaded: {error}") from error
    bank: Bank = opener(settings.database("bank"), today)
    return bank


def _today(clock: Clock, settings: Settings) -> date:
    return clock().astimezone(settings.zone).date()


def _public(settings: Settings) -> dict[str, str]:
    """The settings as they may stand on the record: no URL that could hold a password, no path."""
    shown = ("release", "timezone", "host", "port", "demo", "bank", "log_level")
    return {name: str(getattr(settings, name)) for name in shown}
