"""Golden questions through the real turn, on a record of their own that is thrown away."""

import asyncio
import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant import bootstrap, ingesting, questions
from assistant.bootstrap import App, Progress
from assistant.panels import table
from assistant.settings import Settings
from opsplane.control_events import ReleaseEvaluated
from opsplane.evaluation import dataset as datasets
from opsplane.evaluation.dataset import Dataset
from opsplane.evaluation.evaluate import Count, Report, Result, evaluate
from opsplane.exchange import Exchange
from opsplane.release import Release


def run(path: Path, settings: Settings, progress: Progress) -> Report:
    """Evaluate the configured release on a dataset, on the day the dataset was true.

    The documents and their index are those of `settings`; record, people and accounts live in a folder that is
    removed afterwards, so that golden questions never mix with customers' exchanges.
    """
    golden = datasets.load(path)
    ingesting.ingest_corpus(settings, progress)
    clock = questions.clock_on(golden.as_of.isoformat(), settings.zone)
    with tempfile.TemporaryDirectory(prefix="opsplane-evaluate-") as folder:
        apart = {f"{name}_url": f"sqlite:///{Path(folder) / name}.db" for name in ("record", "keys", "chat", "bank")}
        apart["anchor"] = str(Path(folder) / "anchor")
        with bootstrap.build(replace(settings, **apart), progress, clock) as app:  # type: ignore[arg-type]
            results = asyncio.run(_evaluate(golden, app, progress))
            return Report(app.parts.plane.stable().short, tuple(results))


async def _evaluate(golden: Dataset, app: App, progress: Progress) -> list[Result]:
    async def ask(name: str, conversation: str, text: str) -> Exchange:
        return await questions.exchange_of(app, name, conversation, text)

    return await evaluate(golden, ask, progress)


def as_markdown(report: Report, *, failures: bool) -> str:
    """The report as a table, and each case that did not pass."""
    median, tail = report.latency()
    rows = [
        ("Answers with every expected fact", _share(report.facts)),
        ("Answers citing an expected document", _share(report.cited)),
        ("Turned away where they must be", _share(report.declined)),
        ("Wrong figures or forbidden statements", str(report.wrong)),
        ("Whole turn, median and p99", f"{median:.0f} ms, {tail:.0f} ms"),
    ]
    kinds = [(kind, _share(count)) for kind, count in sorted(report.by_kind().items())]
    parts = [
        f"## {len(report.results)} golden questions on {report.release}",
        table(("Measure", "Result"), rows),
        table(("Kind", "Passed"), kinds),
    ]
    failed = [one for one in report.results if not one.passed]
    if failures and failed:
        parts.append(f"### {len(failed)} did not pass")
        parts += [_failure(one) for one in failed]
    return "\n\n".join(parts)


def report_of(report: Report, release: Release, dataset: str, least: float) -> ReleaseEvaluated:
    """The report as it goes on the record: passed where every measure reaches `least` and no figure is wrong."""
    told = json.dumps([as_json(one) for one in report.results], sort_keys=True, default=str)
    counts = {"facts": report.facts, "cited": report.cited, "declined": report.declined}
    summary = ", ".join(f"{name} {count.right} of {count.of}" for name, count in counts.items())
    return ReleaseEvaluated(
        release=release.id,
        digest=release.digest,
        dataset=dataset,
        report=hashlib.sha256(told.encode()).hexdigest(),
        passed=report.wrong == 0 and all(count.share >= least for count in counts.values()),
        summary=f"{summary}, {report.wrong} wrong figures",
    )


def as_json(result: Result) -> dict[str, Any]:
    """One case with its exchange."""
    return {
        "case": result.case.id,
        "kind": result.case.kind,
        "passed": result.passed,
        "missing": result.missing,
        "stated": result.stated,
        "unsupported": result.unsupported,
        "cited": result.cited,
        "exchange": result.exchange.model_dump(mode="json"),
    }


def _share(count: Count) -> str:
    return f"{count.right} of {count.of} ({count.share:.1%})"


def _failure(one: Result) -> str:
    said = one.exchange.answer or "(nothing)"
    why = [
        f"missing {', '.join(one.missing)}" if one.missing else "",
        f"stated {', '.join(one.stated)}" if one.stated else "",
        f"without a source {', '.join(one.unsupported)}" if one.unsupported else "",
        "" if one.cited else f"none of {', '.join(one.case.documents)} cited",
        f"expected {one.case.expect}, got {one.exchange.outcome.value} {one.exchange.code}",
    ]
    return f"- **{one.case.id}** “{one.case.question}”: {'; '.join(part for part in why if part)}.\n  > {said}"
