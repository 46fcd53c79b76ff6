"""NVIDIA's NeMo Guardrails server: a configuration's input and output rails, run without writing an answer."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from assistant.cloud import Cloud
from assistant.examiners.wire import Wire, address, bearer
from opsplane.errors import InvalidRelease
from opsplane.guardrails.external import Match, Opinion, System, Unreadable
from opsplane.release import External


class _Checked(BaseModel):
    """The server's answer; its `content` is not read, for a rail's own words are not the bank's."""

    status: Literal["passed", "modified", "blocked"]
    rail: str | None = None


def nemo(line: External, where: str, key: str, _cloud: Cloud) -> System:
    """The configuration that the line's target names, on the server at its endpoint. Raises `InvalidRelease`.

    The setting `model` puts another main model in the place of the configuration's own.
    """
    settings = dict(line.settings)
    model = str(settings.pop("model", ""))
    if settings:
        raise InvalidRelease(f"{where}.settings: {sorted(settings)[0]} is not known; model is")
    if not line.endpoint:
        raise InvalidRelease(f"{where}.endpoint: missing; it is where the NeMo Guardrails server listens")
    return Nemo(Wire(address(line.endpoint, where), line.timeout_seconds, bearer(key)), line.target, model)


class Nemo:
    """One configuration, by the server's `/v1/checks`. Rails that change a text count as rails that block it."""

    def __init__(self, wire: Wire, config: str, model: str) -> None:
        self._wire = wire
        self._config = config
        self._model = model

    async def opinion(self, text: str, stage: str, context: Sequence[str]) -> Opinion:
        """Which rail stopped a text; input rails look at questions and passages, output rails at answers."""
        rails: dict[str, Any] = {"config_id": self._config}
        if stage == "answer":
            rails["rail_types"] = ["output"]
            messages = [{"role": "user", "content": one} for one in context[:1]]
            messages.append({"role": "assistant", "content": text})
            if len(context) > 1:
                rails["context"] = {"relevant_chunks": "\n".join(context[1:])}
        else:
            rails["rail_types"] = ["input"]
            messages = [{"role": "user", "content": text}]
        body = {"model": self._model, "messages": messages, "guardrails": rails}
        try:
            answer = _Checked.model_validate(await self._wire.post("/v1/checks", body))
        except ValidationError as error:
            raise Unreadable("the answer is no check") from error
        if answer.status == "passed":
            return Opinion()
        return Opinion((Match(answer.rail or answer.status, detail=answer.status),))

    async def close(self) -> None:
        """Let the connections go."""
        await self._wire.close()
