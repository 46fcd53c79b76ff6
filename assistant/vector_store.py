"""The store of vectors that the settings name: Chroma on this machine, or Vertex AI Vector Search."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from assistant.settings import Settings
from knowledge.index.chroma import beside
from knowledge.index.store import Holding, Opener, Store, Unfit, Unreachable
from opsplane.errors import Conflict, InvalidRequest

CHROMA, VERTEX, COLLECTIONS = "chroma", "vertex", "vertex-collections"


def opener(settings: Settings) -> Opener:
    """What opens the store of a library's folder; raise `InvalidRequest`, naming the setting, for one there cannot be.

    Who signs in is seen when it is opened, and nothing is asked before that is needed.
    """
    if settings.index_store == CHROMA:
        return beside
    if settings.index_store not in (VERTEX, COLLECTIONS):
        raise InvalidRequest(
            f"OPSPLANE_INDEX_STORE: {settings.index_store!r} is none of {CHROMA}, {VERTEX}, {COLLECTIONS}"
        )
    if not settings.google_project:
        raise InvalidRequest(f"OPSPLANE_GOOGLE_PROJECT: the store of vectors {settings.index_store} is in a project")
    settings.cloud.check()
    return partial(_open, settings)


def holdings(settings: Settings, folder: Path) -> list[Holding]:
    """What exists in Google Cloud of this product, of this installation and of others; raises as `told` does."""
    with told(), closing(opener(settings)(folder)) as store:
        return sorted(store.holdings(), key=lambda one: (one.installation, one.kind, one.made))


@contextmanager
def told() -> Iterator[None]:
    """Turns a store's refusals into the product's: `InvalidRequest` for a setting, `Conflict` for what may pass."""
    try:
        yield
    except Unfit as error:
        raise InvalidRequest(str(error)) from error
    except Unreachable as error:
        raise Conflict(str(error)) from error


def _open(settings: Settings, folder: Path) -> Store:
    # Google's clients take two seconds to import, and most installations keep their vectors in Chroma.
    from knowledge.index.collections import Collections  # noqa: PLC0415
    from knowledge.index.site import Site  # noqa: PLC0415
    from knowledge.index.vertex import Vertex  # noqa: PLC0415

    cloud = settings.cloud
    site = Site(
        project=cloud.project,
        location=cloud.location,
        credentials=cloud.login(),
        address=cloud.address("vector"),
        machine=settings.index_machine,
    )
    make: Callable[[Site, Path], Store] = Vertex if settings.index_store == VERTEX else Collections
    return make(site, folder)
