"""A new index beside the others, built out of the documents that serve now; no source is read for it."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from knowledge.base import Bases
from knowledge.catalogue import Built, Catalogue
from knowledge.encoder import Encoder
from knowledge.ingest import Ingestion, Options, alone
from knowledge.intake import Progress
from knowledge.projection import Projection
from knowledge.report import Fate, IndexReport
from knowledge.spec import IndexSpec


def build(
    folder: Path,
    of: str,
    spec: IndexSpec,
    encoders: Mapping[str, Encoder],
    options: Options,
    progress: Progress = lambda *_: None,
) -> IndexReport:
    """Index the documents that the index `of` serves as `spec` says.

    The new index is there once it is complete, and not before. A run that is killed is carried on by the next of the
    same spec: what was cut and embedded is kept. An index that was given up comes back so. Raises `Busy` while another
    process ingests, `LookupError` where `of` serves nothing or the model of `spec` is not known here.
    """
    if spec.embedding not in encoders:
        raise LookupError(f"There is no embedding model {spec.embedding!r}; there are {', '.join(encoders)}.")
    with (
        alone(folder),
        closing(Catalogue(folder / "catalogue.db")) as catalogue,
        closing(Bases(folder, options.store)) as bases,
    ):
        served = catalogue.generation(catalogue.current(of)) if of in catalogue.indexes() else None
        if served is None:
            raise LookupError(f"The index {of or '(none)'} serves no documents yet: ingest some first.")
        documents = catalogue.documents(served.documents.values())
        known = catalogue.indexes().get(spec.id)
        index = known or Built(id=spec.id, spec=spec, made=options.at)
        how = replace(options, large=1.0, stage=False)
        run = Ingestion(catalogue, Projection(folder, catalogue, bases), encoders, how, progress)
        report = run.bring(index, documents)
        if known is None:
            catalogue.add_index(spec, options.at)
        return report if report.fate is Fate.UNCHANGED else report.model_copy(update={"fate": Fate.BUILT})
