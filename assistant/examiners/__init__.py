"""The adapters of checks that other systems make, chosen by the `kind` of a release's line."""

import os
from collections.abc import Callable, Mapping
from time import monotonic

from assistant.cloud import Cloud
from assistant.examiners.check_grounding import check_grounding
from assistant.examiners.llama_guard import llama_guard
from assistant.examiners.model_armor import model_armor
from assistant.examiners.nemo import nemo
from opsplane.errors import InvalidRelease
from opsplane.guardrails.external import Consulted, System
from opsplane.release import External

KINDS: Mapping[str, Callable[[External, str, str, Cloud], System]] = {
    "check-grounding": check_grounding,
    "llama-guard": llama_guard,
    "model-armor": model_armor,
    "nemo": nemo,
}
"""What makes an adapter of a line, the line's place in the release (for messages), the key it shows, if any, and
Google's cloud as it is set up here."""


def examiner(
    line: External,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], float] = monotonic,
    cloud: Cloud | None = None,
) -> Consulted:
    """The examiner of one line; it shows the key in `OPSPLANE_EXTERNAL_<NAME>_KEY`, which no release holds.

    Raises `InvalidRelease`, naming the field and, for an unknown kind, those that there are.
    """
    return Consulted(line, system(line, environ, cloud or Cloud()), clock)


def system(line: External, environ: Mapping[str, str], cloud: Cloud) -> System:
    """The system that a line names, to be asked itself; raises as `examiner` does."""
    where = f"guardrails.external.{line.name}"
    make = KINDS.get(line.kind)
    if make is None:
        raise InvalidRelease(f"{where}.kind: there is no {line.kind!r}; there are {', '.join(sorted(KINDS))}")
    return make(line, where, environ.get(f"OPSPLANE_EXTERNAL_{line.name.upper()}_KEY", ""), cloud)


class Roster:
    """The examiners in use: one for each line, kept with its connections and with what it remembers of failures."""

    def __init__(self, make: Callable[[External], Consulted] = examiner) -> None:
        self._make = make
        self._kept: dict[str, Consulted] = {}

    def __call__(self, line: External) -> Consulted:
        """The examiner of a line; raises `InvalidRelease`."""
        key = line.model_dump_json()
        if key not in self._kept:
            self._kept[key] = self._make(line)
        return self._kept[key]

    async def close(self) -> None:
        """Let all connections go."""
        for one in self._kept.values():
            await one.close()
        self._kept.clear()
