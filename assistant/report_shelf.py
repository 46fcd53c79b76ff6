"""Reports of evaluations as they are kept beside the record, which holds their digests."""

import gzip
import os
import re
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from opsplane.errors import InvalidRequest, NotFound
from opsplane.evaluation import comparison
from opsplane.evaluation.assessment import Assessment
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.gate import Decision
from opsplane.evaluation.report import Report

Kind = TypeVar("Kind", bound=BaseModel)
_DIGEST = re.compile(r"[0-9a-f]{6,64}")


class Shelf:
    """A folder of reports, each under its digest, with the dataset that it was made on and what the gate said."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "evaluations" / "reports"

    def keep(self, run: Assessment) -> bool:
        """Keep a report; False for one with customers' words in it, which the record alone keeps."""
        if any(case.source for case in run.asked.values()):
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        for one in (run.report, run.baseline):
            if one:
                self._write(f"{one.digest}.json.gz", one.model_dump_json(indent=1).encode())
        if run.dataset:
            told = run.dataset.model_dump_json(indent=1, by_alias=True).encode()
            self._write(f"{run.report.dataset_digest}.dataset.json.gz", told)
        if run.decision:
            self._write(f"{run.report.digest}.{run.decision.digest[:12]}.gate.json.gz", run.decision.content)
        return True

    def find(self, digest: str) -> Assessment:
        """A report by its digest or the beginning of it, with what was kept beside it; raises `NotFound`."""
        if not _DIGEST.fullmatch(digest):
            raise InvalidRequest("A report is named by its digest, or at least the first six characters of it.")
        there = [one for one in self._folder.glob(f"{digest}*.json.gz") if one.name.count(".") == 2]
        if len(there) != 1:
            many = "more than one report begins" if there else "no report here begins"
            raise NotFound(f"There is {many} with {digest}. /report lists those that are on the record.")
        report = self._read(there[0], Report)
        if not there[0].name.startswith(report.digest):
            raise InvalidRequest(f"The report {there[0].name[:12]} was changed after it was kept: it is not shown.")
        decision = self._decision(report.digest)
        dataset = self._beside(f"{report.dataset_digest}.dataset.json.gz", Dataset)
        baseline = self._beside(f"{decision.against_report}.json.gz", Report) if decision else None
        compared = comparison.compare(baseline, report) if baseline else None
        return Assessment(report, dataset, baseline, compared, decision)

    def _decision(self, report: str) -> Decision | None:
        """What the gate said of a report; of several the newest that compares it with another release."""
        files = sorted(self._folder.glob(f"{report}.*.gate.json.gz"), key=lambda one: one.stat().st_mtime_ns)
        told = [self._read(one, Decision) for one in files]
        return next((one for one in reversed(told) if one.against_report), told[-1] if told else None)

    def _beside(self, name: str, kind: type[Kind]) -> Kind | None:
        path = self._folder / name
        return self._read(path, kind) if path.is_file() else None

    def _read(self, path: Path, kind: type[Kind]) -> Kind:
        try:
            return kind.model_validate_json(gzip.decompress(path.read_bytes()))
        except (OSError, EOFError, ValidationError) as error:
            raise InvalidRequest(
                f"The report {path.name[:12]} cannot be read by this version of the product."
            ) from error

    def _write(self, name: str, content: bytes) -> None:
        half = self._folder / f"{name}.{os.getpid()}.new"
        half.write_bytes(gzip.compress(content, mtime=0))
        half.replace(self._folder / name)
