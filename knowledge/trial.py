"""A library for a trial: documents as they are given, indexed in one way in a folder of their own."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from knowledge.base import Bases
from knowledge.catalogue import Catalogue
from knowledge.document import Document
from knowledge.encoder import Encoder
from knowledge.ingest import Ingestion, Options, alone
from knowledge.intake import Intake, Progress
from knowledge.projection import Projection
from knowledge.report import IngestReport
from knowledge.spec import IndexSpec


def shelve(
    documents: Sequence[Document],
    folder: Path,
    encoders: Mapping[str, Encoder],
    spec: IndexSpec,
    options: Options,
    progress: Progress = lambda *_: None,
) -> IngestReport:
    """Make these documents the whole content of the library in `folder`, by the same ingestion as any others.

    Nothing is read from a source, and nothing is left out: two documents that say the same are two. What the folder
    holds already is not embedded again. Raises `Busy` while another process does this in the folder.
    """
    with (
        alone(folder),
        closing(Catalogue(folder / "catalogue.db")) as catalogue,
        closing(Bases(folder, options.store)) as bases,
    ):
        run = Ingestion(catalogue, Projection(folder, catalogue, bases), encoders, options, progress)
        return run.take(Intake(documents=list(documents)), [spec])
