"""What evaluations are made with: the documents and models of the product, apart from everybody's record."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from assistant import bootstrap, corpus, passages
from assistant.bootstrap import App, Clock, LaidDown, Progress
from assistant.responding import Means, responding
from assistant.scratch import scratch
from assistant.settings import Settings
from knowledge.embedding import MiniLM
from knowledge.library import Library
from opsplane import fitness, policy, spend
from opsplane.budget import Budgets
from opsplane.errors import InvalidRelease
from opsplane.parts import Parts
from opsplane.release import Release
from opsplane.spend import Prices, Purpose


@dataclass(frozen=True)
class Workshop:
    """Documents, the embedding model and the price table, under the settings of the product."""

    settings: Settings
    library: Library
    embeddings: MiniLM
    prices: Prices


@contextmanager
def opened(settings: Settings, progress: Progress) -> Iterator[Workshop]:
    """A workshop of its own, for the terminal; documents are brought up to date with their sources first."""
    embeddings = bootstrap.embeddings_of(settings, progress)
    corpus.refresh(settings, embeddings, progress)
    with closing(bootstrap.library_of(settings, embeddings)) as library:
        yield Workshop(settings, library, embeddings, spend.load())
        embeddings.keep(settings.data / "models" / "known.npz")


def of(app: App) -> Workshop:
    """The workshop of a product that serves, which it shares."""
    return Workshop(app.settings, app.library, app.embeddings, app.parts.prices)


@contextmanager
def serving(shop: Workshop, release: Release, clock: Clock, withdrawn: frozenset[str] = frozenset()) -> Iterator[App]:
    """The product serving one release to everybody, at another time if need be, on a record that is thrown away.

    The record lies in the data folder's `evaluations/apart` and is removed at the end, or by the next evaluation where
    the process was killed. No budget stops it, no rollout changes it, and its costs are an evaluation's.

    Raises `InvalidRelease` for a release whose index there is not, `Conflict` for one that was made for other guardrail
    weights, and `RecordUnavailable` where no folder can be made.
    """
    indexes = corpus.indexes(shop.settings)
    if release.retrieval.index not in indexes:
        raise InvalidRelease(
            f"{release.id}: retrieval.index: there is no index {release.retrieval.index!r}; there are "
            f"{', '.join(sorted(indexes))}"
        )
    fitness.weights(release)
    with scratch(shop.settings.data / "evaluations" / "apart") as folder, ExitStack() as open_parts:
        own = replace(
            Settings(data=folder),
            policy=shop.settings.policy,
            releases=shop.settings.releases,
            bank=shop.settings.bank,
            timezone=shop.settings.timezone,
        )
        ledger, notary = open_parts.enter_context(bootstrap.record(own, clock))
        known = open_parts.enter_context(closing(bootstrap.people(own)))
        desk = bootstrap.desk_of(own, ledger, notary, known, LaidDown(Budgets(), {}, policy.load(own.policy)))
        desk.plane.configure({release.id: release}, release.id, indexes)
        today = partial(_today, clock, own)
        discovery = open_parts.enter_context(bootstrap.discovery_of(shop.settings, release))
        bank = open_parts.enter_context(closing(bootstrap.bank_of(own, today())))
        means = Means(bank, shop.embeddings, shop.settings.cloud, shop.prices, ledger, Purpose.EVALUATION)
        parts = Parts(
            plane=desk.plane,
            ledger=ledger,
            rails=bootstrap.rails_of(release, shop.embeddings, shop.settings.cloud),
            retrieve=passages.retriever(shop.library, today, lambda: withdrawn, discovery),
            responder=open_parts.enter_context(responding(means, today)),
            prices=shop.prices,
            budget=desk.budget,
            purpose=Purpose.EVALUATION,
        )
        yield App(own, clock, parts, desk, known, bank, shop.library, shop.embeddings)


def _today(clock: Clock, settings: Settings) -> date:
    return clock().astimezone(settings.zone).date()
