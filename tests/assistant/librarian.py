"""A small library with a desk over it, and people who talk to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from assistant import commands, corpus
from assistant.desk import Desk
from assistant.dropped import Dropped
from assistant.panels import Panel
from assistant.settings import Settings
from assistant.staging import Staging
from knowledge.catalogue import Catalogue
from knowledge.embedding import MiniLM
from knowledge.ingest import Options
from opsplane.access import Actor
from tests import fakes

TALK = "talk-1"
BEGUN = fakes.NOON.timestamp() - 86_400 * 20
"""When the library was first served: 3 November 2026."""
OTHER = fakes.OPERATOR.model_copy(update={"id": "operator2"})
FEES = "---\nid: fees\ntitle: Fee Schedule\nkind: fees\nowner: pricing@wrenfield.example\nversion: {version}\n"
FEES += "effective_from: {begin}\n---\n# Fee Schedule\n## Overdraft\nThe overdraft fee is {fee} for each item.\n"


def fees(version: str, begin: str, fee: str) -> str:
    """A fee schedule."""
    return FEES.format(version=version, begin=begin, fee=fee)


@dataclass
class Librarian:
    """Who types; `steps` are what the screen told."""

    desk: Desk
    settings: Settings
    model: MiniLM
    steps: list[str]

    async def say(self, text: str, actor: Actor = fakes.OPERATOR) -> Panel:
        """What the chat shows, without what keeps Markdown from coming to life."""
        if text.startswith("/"):
            panel: Panel | None = await commands.run(text, actor, self.desk, talk=TALK)
        else:
            panel = await commands.go_on(text, actor, self.desk, TALK)
        assert panel is not None
        return replace(panel, text=panel.text.replace("\\", ""))

    def drop(self, files: Mapping[str, str | bytes], actor: Actor = fakes.OPERATOR) -> None:
        """Lay files where they wait for /ingest."""
        some = [Dropped(name, text.encode() if isinstance(text, str) else text) for name, text in files.items()]
        self.desk.tray.put(actor.id, TALK, some, self.desk.ledger.clock())

    async def staged(self, files: Mapping[str, str | bytes]) -> str:
        """The id of the request that comes of these files."""
        self.drop(files)
        await self.say('/ingest reason="new prices"')
        return self.request()

    def request(self) -> str:
        """The id of the newest request."""
        return str(self.desk.ledger.events(["request_made"])[-1].event.request)  # type: ignore[union-attr]

    async def agree(self, request: str, actor: Actor = OTHER) -> Panel:
        """Another person's approval, told first."""
        await self.say(f"/approve {request}", actor)
        return await self.say("yes", actor)

    def again(self) -> Staging:
        """The same library as another process would open it."""
        return Staging(self.settings, lambda: self.model)

    def bring_up_to_date(self) -> None:
        """What the service does at its start."""
        at = self.desk.ledger.clock().timestamp()
        assert corpus.refresh(self.settings, self.model, lambda *_: None, corpus.options(self.settings, at=at))

    @property
    def library(self) -> Path:
        """Its folder."""
        return corpus.folder(self.settings)

    def serving(self) -> set[str]:
        """The names of the documents that are served."""
        catalogue = Catalogue(self.library / "catalogue.db")
        try:
            generation = catalogue.generation(catalogue.current(corpus.SPEC.id))
            return set(generation.documents) if generation else set()
        finally:
            catalogue.close()


def open_library(desk: Desk, folder: Path, model: MiniLM, at: float) -> Librarian:
    """Fees in a past and a present version, and a note for the staff."""
    source = folder / "corpus"
    source.mkdir()
    (source / "fees-1.md").write_text(fees("1", "2025-01-01", "$29"))
    (source / "fees-2.md").write_text(fees("2", "2026-07-01", "$15"))
    (source / "waivers.md").write_text("---\naudience: staff\n---\n# Waivers\nStaff may waive one fee a year.\n")
    settings = Settings(data=folder / "data", corpus=source, large_change=100)
    how: Options = corpus.options(settings, at=at, why="at start")
    assert corpus.refresh(settings, model, lambda *_: None, how)
    steps: list[str] = []

    async def step(name: str, detail: str) -> None:
        steps.append(name)

    one = replace(desk, documents=Staging(settings, lambda: model), step=step, why="")
    return Librarian(one, settings, model, steps)
