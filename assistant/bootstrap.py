"""Where the real parts are chosen and put together; the only such place."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib import import_module
from importlib.metadata import version
from operator import attrgetter
from pathlib import Path

from assistant import (
    corpus,
    custody_commands,
    forgetting,
    index_collection,
    passages,
    publishing,
    traced,
    vector_store,
)
from assistant.accounts import Bank
from assistant.alerts import Alerts, raise_retirements
from assistant.cloud import Cloud
from assistant.desk import Desk
from assistant.discovery import Discovery
from assistant.embedders import embedders
from assistant.examiners import Roster, examiner
from assistant.extractive import intent
from assistant.extractive.warm import Warming
from assistant.nightly import Nightly
from assistant.observer import Observer
from assistant.responding import Means, responding
from assistant.settings import Settings
from assistant.signin import People, seed_demo
from assistant.staging import Staging
from knowledge import embedding
from knowledge.embedding import MiniLM
from knowledge.library import Library, Reader
from knowledge.report import IngestReport
from opsplane import budget, custody, policy, registry, requests, spend
from opsplane.access import SERVICE
from opsplane.aftermath import Aftermath
from opsplane.budget import Budgets
from opsplane.control_events import AlertRaised
from opsplane.erasure import Custodian
from opsplane.errors import InvalidRelease, InvalidRequest
from opsplane.events import PersonAdded, ServiceStarted, ServiceStopped
from opsplane.guardrails.injection import Detector
from opsplane.guardrails.rails import Rails
from opsplane.guardrails.scope import Scope
from opsplane.guardrails.support import Support
from opsplane.handover_board import Board
from opsplane.intent import Helm
from opsplane.ledger import checkpoint, vault
from opsplane.ledger.anchor import Anchor
from opsplane.ledger.checkpoint import Notary, Rhythm
from opsplane.ledger.database import connect
from opsplane.ledger.keys import Keys, open_keys
from opsplane.ledger.store import Ledger
from opsplane.ledger.timestamp import Authority
from opsplane.ledger.vault import Vault
from opsplane.parts import Parts
from opsplane.plane import Plane
from opsplane.policy import Policy
from opsplane.quality.monitor import Monitor
from opsplane.release import Release
from opsplane.rollouts import plan
from opsplane.rollouts.plan import Plan
from opsplane.rollouts.watcher import Watch, Watcher
from opsplane.topics import Topics
from opsplane.topics import load as load_topics

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
    """The product put together. `alert` tells whoever is on call; `observer` traces turns, where anybody wants that."""

    settings: Settings
    clock: Clock
    parts: Parts
    desk: Desk
    people: People
    bank: Bank
    library: Library
    embeddings: MiniLM
    alert: Callable[[AlertRaised], None] = lambda _: None
    observer: Observer | None = None

    def today(self) -> date:
        """The bank's calendar day."""
        return _today(self.clock, self.settings)


@contextmanager
def build(settings: Settings, progress: Progress, clock: Clock = now, *, refresh: bool = False) -> Iterator[App]:
    """The product, ready to answer; an empty library is filled first, and with `refresh` any is brought up to date.

    Raises `InvalidRelease`, `RecordUnavailable`, `Conflict` or `InvalidRequest`: then nothing was started.
    """
    # before anything is written: a corrupt file stops the start
    releases, prices, laid_down = registry.load_all(settings.releases), spend.load(), laid_down_in(settings)
    embeddings = embeddings_of(settings, progress)
    wanted = _index(releases, settings)
    with ExitStack() as open_parts:
        library = open_parts.enter_context(closing(library_of(settings, embeddings)))
        stale = refresh or not library.generation(wanted)
        brought = corpus.refresh(settings, embeddings, progress) if stale else None
        ledger, notary = open_parts.enter_context(record(settings, clock))
        if brought:
            publishing.record(brought, "at start", ledger)
        observer = open_parts.enter_context(traced.observing(settings, ledger))
        known = open_parts.enter_context(closing(people(settings)))
        alerts = open_parts.enter_context(closing(Alerts(settings.alert_url, ledger, settings.alert_email)))
        staging = Staging(settings, lambda: embeddings)
        desk = replace(desk_of(settings, ledger, notary, known, laid_down, alerts), documents=staging, library=library)
        desk.plane.configure(releases, settings.release, corpus.indexes(settings))
        ledger.append_now(ServiceStarted(version=version("opsplane"), settings=_public(settings)), SERVICE)
        open_parts.callback(ledger.append_now, ServiceStopped(), SERVICE)
        _add_demo(known if settings.demo else None, ledger)
        bank = open_parts.enter_context(closing(bank_of(settings, _today(clock, settings))))
        watch = open_parts.enter_context(closing(Watch(desk.watcher))) if refresh else None
        today = partial(_today, clock, settings)
        means = Means(bank, embeddings, settings.cloud, prices, ledger)
        responder = open_parts.enter_context(responding(means, today))
        discovery = open_parts.enter_context(discovery_of(settings, desk.plane.stable()))
        parts = Parts(
            plane=desk.plane,
            ledger=ledger,
            rails=rails_of(desk.plane.stable(), embeddings, settings.cloud),
            retrieve=passages.retriever(library, today, lambda: desk.plane.state.withdrawn, discovery),
            responder=responder,
            prices=prices,
            budget=desk.budget,
            aftermath=Aftermath(desk.watcher, watch),
        )
        responder.prepare(desk.plane.stable())  # else the first question would wait for it, or fail
        app = App(settings, clock, parts, desk, known, bank, library, embeddings, alerts, observer)
        open_parts.callback(embeddings.keep, _known(settings))
        if refresh:
            _resume(desk, staging)
            open_parts.enter_context(_serving(app, alerts, embeddings, wanted))
        yield app


def _resume(desk: Desk, staging: Staging) -> None:
    """Finish what a crash cut off, before anybody is served."""
    custody.resume(custody_commands.custodian(desk))
    requests.resume(desk.ledger, custody_commands.actions(desk))
    staging.tidy(requests.every(desk.ledger), desk.ledger.clock().timestamp())


@contextmanager
def _serving(app: App, alerts: Alerts, model: MiniLM, index: str) -> Iterator[None]:
    """What goes on beside the answers: what is due every day, the look at the sources, the first warming up."""
    with ExitStack() as beside:
        beside.enter_context(closing(_rhythm(app.desk.ledger, app.desk.notary, app.settings)))
        beside.enter_context(_every_day(app, custody_commands.custodian(app.desk), alerts))
        beside.enter_context(_watching(app, model))
        reader = Reader(app.today(), passages.CUSTOMERS)
        beside.callback(Warming(app.library.in_force(reader, index), model).stop)
        yield


def _add_demo(known: People | None, ledger: Ledger) -> None:
    for added in seed_demo(known) if known else ():
        event = PersonAdded(name=added.name, role=added.role.value, customer=added.customer)
        ledger.append_now(event, SERVICE)


@contextmanager
def record(settings: Settings, clock: Clock = now) -> Iterator[tuple[Ledger, Notary]]:
    """The record with its keys, ready to be written and read; a checkpoint is signed at the end.

    Raises `RecordUnavailable` where the database, a key or the vault is missing or belongs elsewhere.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    keys = installation_keys(settings, clock)
    with ExitStack() as open_parts:
        held = Vault(
            connect(settings.database("keys")),
            keys.wrappers,
            clock,
            lambda: installation_keys(settings, clock).wrappers,
        )
        open_parts.callback(held.close)
        engine, share = connect(settings.database("record")), settings.review_percent / 100
        ledger = open_parts.enter_context(closing(Ledger(engine, clock, held, share)))
        signer, *older = keys.signers(f"opsplane/{ledger.id}")
        authority = Authority(settings.timestamp_url) if settings.timestamp_url else None
        notary = Notary(signer, Anchor(settings.anchor_folder), tuple(older), authority)
        checkpoint.introduce(ledger, notary)
        yield ledger, notary
        checkpoint.attempt(ledger, notary, timedelta(seconds=settings.checkpoint_seconds))


@contextmanager
def _every_day(app: App, custodian: Custodian, alerts: Alerts) -> Iterator[None]:
    """What is looked after once a day: words whose retention is over, models about to retire, indexes of no use."""
    retiring = partial(raise_retirements, app.desk.plane, app.desk.ledger, alerts, app.today)
    jobs = (partial(custody.apply, custodian), retiring, partial(index_collection.collect, app.desk))
    with ExitStack() as open_parts:
        for job in jobs:
            open_parts.enter_context(closing(Nightly(job, app.today)))
        yield


def _rhythm(ledger: Ledger, notary: Notary, settings: Settings) -> Rhythm:
    return Rhythm(ledger, notary, timedelta(seconds=settings.checkpoint_seconds))


@contextmanager
def _watching(app: App, model: MiniLM) -> Iterator[None]:
    """Looks at the sources again and again, where the settings say so."""
    if not app.settings.watch_seconds:
        yield
        return

    def changed(report: IngestReport) -> None:
        publishing.record(report, "the sources changed", app.desk.ledger)

    with closing(corpus.watcher(app.settings, model, app.settings.watch_seconds, changed)) as watcher:
        watcher.start()
        yield


@dataclass(frozen=True)
class LaidDown:
    """What files lay down beside the releases: limits on costs, how rollouts go on, and who must agree."""

    budgets: Budgets
    plans: Mapping[str, Plan]
    policy: Policy


def laid_down_in(settings: Settings) -> LaidDown:
    """Read those files; raise `InvalidRelease` or `InvalidRequest` for one that cannot be used."""
    return LaidDown(budget.load(settings.budgets), plan.load_all(settings.plans), policy.load(settings.policy))


def desk_of(
    settings: Settings,
    ledger: Ledger,
    notary: Notary,
    known: People,
    laid_down: LaidDown,
    alert: Callable[[AlertRaised], None] = lambda _: None,
) -> Desk:
    """What slash commands work on: at the record and the people; models are opened where documents are looked into."""
    guard = budget.Guard(ledger, laid_down.budgets.budgets, settings.zone)
    forget = partial(forgetting.forget, settings.database("chat"), known)
    plane = Plane(ledger)
    helm = Helm(plane, ledger, laid_down.plans, laid_down.policy, partial(corpus.indexes, settings))
    return Desk(
        plane,
        ledger,
        notary,
        forget,
        guard,
        settings.zone,
        Watcher(helm, alert),
        settings.releases,
        handovers=Board(timedelta(minutes=settings.handover_minutes)),
        documents=Staging(settings, lambda: embeddings_of(settings, lambda *_: None)),
        monitor=Monitor(ledger, laid_down.policy.quality),
    )


def installation_keys(settings: Settings, clock: Clock = now) -> Keys:
    """The keys that sign checkpoints and wrap customers' keys."""
    engine = connect(settings.database("keys"))
    try:
        return open_keys(settings.keys, settings.data, clock(), vault.wrappers_of(engine), settings.kms_endpoint)
    finally:
        engine.dispose()


def people(settings: Settings) -> People:
    """Who may sign in."""
    settings.data.mkdir(parents=True, exist_ok=True)
    return People.open(connect(settings.database("chat")))


def embeddings_of(settings: Settings, progress: Progress) -> MiniLM:
    """The embedding model, with what it embedded before."""
    settings.data.mkdir(parents=True, exist_ok=True)
    progress("Opening the embedding model", 0, 1)
    model = embedding.load(settings.data / "models")
    (settings.data / "models" / "recent.npz").unlink(missing_ok=True)  # of earlier versions: it held questions too
    model.recall(_known(settings))
    progress("Opening the embedding model", 1, 1)
    return model


def _index(releases: Mapping[str, Release], settings: Settings) -> str:
    """The index that the configured release searches; raise `InvalidRelease` where there is none of that name."""
    if settings.release not in releases:
        return corpus.SPEC.id
    wanted, known = releases[settings.release].retrieval.index, corpus.indexes(settings) | {corpus.SPEC.id}
    if wanted not in known:
        raise InvalidRelease(
            f"{settings.release}: retrieval.index: there is no index {wanted!r}; there are {', '.join(sorted(known))}"
        )
    return wanted


def library_of(settings: Settings, embeddings: MiniLM) -> Library:
    """The documents, with the embedding models and the store of vectors that the settings name."""
    return Library(corpus.folder(settings), embedders(settings, embeddings), vector_store.opener(settings))


@contextmanager
def discovery_of(settings: Settings, release: Release) -> Iterator[Discovery]:
    """The door to Vertex AI Search and the ranking API, open already where the release names them.

    Raises `InvalidRequest` where it can never ask them.
    """
    with closing(Discovery(settings.cloud)) as discovery:
        passages.open_clients(release, discovery)
        yield discovery


def rails_of(release: Release, embeddings: MiniLM, cloud: Cloud | None = None) -> Rails:
    """The guardrails, told the release's examples before the first question, since embedding them takes a second.

    Raises `InvalidRelease` where an external check of the release cannot be made.
    """
    scope = Scope(embeddings.encode, lambda text: bool(intent.read(text, date.max)[0]))
    if exemplars := release.guardrails.scope_exemplars:
        embeddings.encode(exemplars.texts, lasting=True)
        scope.learn(exemplars)
    topics = Topics(embeddings.encode, load_topics())
    embeddings.encode(topics.examples.texts, lasting=True)
    topics.learn()
    roster = Roster(partial(examiner, cloud=cloud))
    for line in release.guardrails.external:
        roster(line)
    return Rails(scope, Detector(embeddings.encode), Support.load(), roster, topics)


def _known(settings: Settings) -> Path:
    return settings.data / "models" / "known.npz"


def bank_of(settings: Settings, today: date) -> Bank:
    """The accounts; raise `InvalidRequest` where what opens them cannot be loaded."""
    return bank_opener(settings)(settings.database("bank"), today)


def bank_opener(settings: Settings) -> Callable[[str, date], Bank]:
    """What opens the accounts at a URL on a day; raise `InvalidRequest` where it cannot be loaded."""
    module, _, function = settings.bank.partition(":")
    try:
        opener: Callable[[str, date], Bank] = attrgetter(function)(import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidRequest(f"OPSPLANE_BANK: {settings.bank!r} cannot be loaded: {error}") from error
    return opener


def _today(clock: Clock, settings: Settings) -> date:
    return clock().astimezone(settings.zone).date()


def _public(settings: Settings) -> dict[str, str]:
    """The settings as they may stand on the record: no URL that could hold a password, no path."""
    shown = ("release", "timezone", "host", "port", "demo", "bank", "log_level")
    return {name: str(getattr(settings, name)) for name in shown}
