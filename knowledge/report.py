"""What an ingestion found and did, as the people read it who look after the documents."""

import hashlib
from datetime import date
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Refusal(_Value):
    """A file that was left out, and why."""

    name: str
    reason: str


class Duplicate(_Value):
    """A file or document that was left out because `kept` says the same or bears the same id and version."""

    name: str
    kept: str
    reason: str


class Note(_Value):
    """What was cleaned or could not be read in a document that went in."""

    name: str
    text: str


class Disagreement(_Value):
    """Two documents in force, from the day `since` on, that state different figures for the same thing.

    `owners` are to be told.
    """

    label: str
    since: date
    left: str
    right: str
    left_says: str
    right_says: str
    owners: tuple[str, ...] = ()


class Fate(StrEnum):
    """What became of an index."""

    SERVED = "served"  # a new generation serves
    UNCHANGED = "unchanged"
    STAGED = "staged"  # a new generation waits for somebody's yes
    BUILT = "built"  # a new index beside the others: a release has to name it
    FROZEN = "frozen"  # left as it is, because too much would have changed
    PLANNED = "planned"  # a dry run


class IndexReport(_Value):
    """What happened to one index: `windows` it holds, `embedded` of them anew; `share` of its windows that changed."""

    index: str
    generation: str
    fate: Fate
    before: str = ""  # the generation that served until then
    chunks: int = 0
    windows: int = 0
    embedded: int = 0
    share: float = 0.0


class IngestReport(_Value):
    """What an ingestion did. Documents are named `id@version`, compared with what the first index served before."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    notes: tuple[Note, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    indexes: tuple[IndexReport, ...] = ()
    dry_run: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the whole report, by which the record names it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def embedded(self) -> int:
        """Windows embedded anew, over all indexes."""
        return sum(one.embedded for one in self.indexes)

    @property
    def generation(self) -> str:
        """The generation of the first index."""
        return self.indexes[0].generation if self.indexes else ""

    @property
    def chunks(self) -> int:
        """Chunks of the first index."""
        return self.indexes[0].chunks if self.indexes else 0
