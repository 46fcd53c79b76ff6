"""Every measurement in turn: `python -m benchmarks`, or `make benchmark`."""

import subprocess
import sys

PARTS = {
    "Golden questions": ["-m", "assistant", "evaluate", "--failures", "0", "--fresh"],
    "One turn, governed and ungoverned": ["-m", "benchmarks.turn"],
    "Fifty people at once": ["-m", "benchmarks.load"],
    "Appending to the record": ["-m", "benchmarks.appends"],
    "Kills and power cuts": ["-m", "benchmarks.durability"],
    "Verifying a million entries": ["-m", "benchmarks.verify"],
    "Tampering": ["-m", "benchmarks.tampering"],
    "Simulated rollouts": ["-m", "benchmarks.rollouts"],
    "Which release serves a customer": ["-m", "benchmarks.plane"],
    "Searching a million exchanges": ["-m", "benchmarks.audit", "--postgres"],
    "Sums of a million bookings": ["-m", "benchmarks.costs"],
    "Guardrails on the bank's own sentences": ["-m", "benchmarks.guardrails"],
    "Scope, language, signals": ["-m", "benchmarks.scope"],
    "Injection": ["-m", "benchmarks.injection"],
    "Personal data": ["-m", "benchmarks.pii"],
    "Grounding": ["-m", "benchmarks.grounding"],
    "The checks of one turn": ["-m", "benchmarks.turn_checks"],
    "A hostile model": ["-m", "benchmarks.redteam"],
    "Retrieval on a public set": ["-m", "benchmarks.retrieval"],
    "The very sentence": ["-m", "benchmarks.passages"],
    "Ingestion": ["-m", "benchmarks.ingestion"],
    "Kills and days": ["-m", "benchmarks.updates"],
    "100,000 passages": ["-m", "benchmarks.scale"],
    "Two indexes switched under load": ["-m", "benchmarks.switching"],
    "Planted faults and the gate": ["-m", "benchmarks.faults"],
    "Evaluations killed": ["-m", "benchmarks.run_kills"],
    "Scripted judges": ["-m", "benchmarks.judges"],
    "The embedded judge": ["-m", "benchmarks.embedded_judge"],
    "RAGAS by the embedded models": ["-m", "benchmarks.embedded_ragas"],
    "Watching quality": ["-m", "benchmarks.quality_watch"],
    "Routing": ["-m", "benchmarks.routing"],
    "Routing and context caching": ["-m", "benchmarks.caching"],
    "Stores of vectors": ["-m", "benchmarks.vector_stores"],
    "Export to BigQuery, killed": ["-m", "benchmarks.export_kills"],
    "Traces and metrics": ["-m", "benchmarks.telemetry"],
    "Two hundred turns at once": ["-m", "benchmarks.burst"],
    "Near-duplicates and conflicts": ["-m", "benchmarks.duplicates_conflicts"],
}


def main() -> None:
    """Run each part in a process of its own; leave with an error where one failed."""
    failed = []
    for title, arguments in PARTS.items():
        print(f"\n## {title}\n\n`python {' '.join(arguments)}`\n", flush=True)
        if subprocess.run([sys.executable, *arguments], check=False).returncode:
            failed.append(title)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
