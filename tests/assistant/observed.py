"""Turns over a small record, observed with the real exporters."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant import telemetry, traced
from assistant.settings import Settings
from opsplane.exchange import Exchange
from opsplane.ledger.store import Ledger
from opsplane.parts import Part, Parts, Responder
from opsplane.release import Release
from tests import fakes
from tests.collector import Collector
from tests.opsplane.test_turn import parts, promote

MODEL = "google_genai:gemini-3.8-flash"
SECRET = b"a secret of this installation"


def settings(collector: Collector, **changes: Any) -> Settings:
    """Everything goes to the collector."""
    told: dict[str, Any] = {"otlp_endpoint": collector.url, "google_project": "bank", "google_location": "europe-west4"}
    return Settings(data=Path(), **(told | changes))


def release(**changes: Any) -> Release:
    """A release that names Gemini in both places."""
    model = {"name": MODEL}
    written = {"temperature": 0.2, "max_output_tokens": 800}
    told: dict[str, Any] = {"id": "vertex-1", "models": {"flash": model, "pro": model}, "generation": written}
    return fakes.release(**(told | changes))


def served(ledger: Ledger, responder: Responder, stable: Release | None = None) -> Parts:
    """What a turn is handed where that release serves."""
    handed, chosen = parts(ledger, responder), stable or release()
    handed.plane.configure({chosen.id: chosen}, chosen.id)
    promote(ledger, chosen)
    return handed


async def ask(
    ledger: Ledger, collector: Collector, responder: Responder | Sequence[Part | Exception], text: str = ""
) -> Exchange:
    """One turn; everything about it has arrived when it returns."""
    script = fakes.Script(responder) if isinstance(responder, Sequence) else responder
    handed = served(ledger, script)
    asked = fakes.question(text) if text else fakes.question()
    with telemetry.opened(settings(collector), SECRET) as observer:
        return await traced.turn(asked, handed, fakes.Witness(), observer)
