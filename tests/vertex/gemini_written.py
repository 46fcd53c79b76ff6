"""One answer of the local Gemini, before it is sent: its tokens, why it ends, and what it costs."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tests.vertex import answering, gemini_safety, gemini_tokens
from tests.vertex.answering import Answering, Reply
from tests.vertex.cloud import Cloud
from tests.vertex.faults import Kind
from tests.vertex.gemini_request import Asked

SIGNATURE = base64.b64encode(b"the thought behind this call").decode()
_THOUGHT = "Which of the sources tell what was asked?"
_LOGPROBS = (-0.02, -0.11, -0.35, -0.07, -0.01)
"""Logarithms of probabilities, one token after the other, again and again."""


@dataclass(frozen=True)
class Written:
    """An answer as tokens; `block` tells why the prompt was refused instead."""

    asked: Asked
    pieces: tuple[str, ...] = ()
    calls: tuple[Mapping[str, Any], ...] = ()
    finish: str = "STOP"
    thoughts: int = 0
    block: str = ""

    @property
    def tokens(self) -> int:
        """What is written, without thoughts."""
        return len(self.pieces) + gemini_tokens.of_value([dict(one) for one in self.calls])

    def usage(self, written: int | None = None) -> dict[str, Any]:
        """What the call costs, or would if only so many tokens had been written."""
        output, prompt = self.tokens if written is None else written, self.asked.prompt_tokens
        told = {
            "candidatesTokenCount": output,
            "thoughtsTokenCount": self.thoughts,
            "cachedContentTokenCount": self.asked.cached,
        }
        kept = {name: count for name, count in told.items() if count}
        total = {"promptTokenCount": prompt, "totalTokenCount": prompt + output + self.thoughts}
        return {**kept, **total, "trafficType": "ON_DEMAND"}

    def candidate(self, text: str, *, last: bool, thought: bool = False) -> dict[str, Any]:
        """A candidate with so much of the text; the last one has the calls and says why it ends."""
        parts: list[dict[str, Any]] = []
        if thought and self.asked.config.get("thinkingConfig", {}).get("includeThoughts") and self.thoughts:
            parts.append({"text": _THOUGHT, "thought": True})
        if text:
            parts.append({"text": text})
        if last:
            parts += [{"functionCall": dict(one)} for one in self.calls]
            for part in [part for part in parts if "functionCall" in part][:1]:
                part["thoughtSignature"] = SIGNATURE
        content: dict[str, Any] = {"role": "model", **({"parts": parts} if parts else {})}
        ended = {"finishReason": self.finish, **self._rated(), **self._likely()} if last else {}
        return {"content": content, **ended}

    def whole(self) -> dict[str, Any]:
        """The answer in one piece."""
        return {**self.end("".join(self.pieces), thought=True), "modelVersion": self.asked.model}

    def end(self, text: str, *, thought: bool) -> dict[str, Any]:
        """The last piece, which tells what was used; of a refused prompt it is the only one."""
        if self.block:
            return {"promptFeedback": self.feedback(), "usageMetadata": self.usage()}
        return {"candidates": [self.candidate(text, last=True, thought=thought)], "usageMetadata": self.usage()}

    def feedback(self) -> dict[str, Any]:
        """What is said of a refused prompt."""
        ratings = gemini_safety.ratings(self.asked.last)
        return {"blockReason": self.block, "blockReasonMessage": "The prompt was blocked.", "safetyRatings": ratings}

    def _rated(self) -> dict[str, Any]:
        if not self.asked.safety and self.finish != "SAFETY":
            return {}
        return {"safetyRatings": gemini_safety.ratings(self.asked.last, stopped=self.finish == "SAFETY")}

    def _likely(self) -> dict[str, Any]:
        if not self.asked.config.get("responseLogprobs") or not self.pieces:
            return {}
        chosen = [_token(piece, place) for place, piece in enumerate(self.pieces)]
        more = int(self.asked.config.get("logprobs", 0))
        found: dict[str, Any] = {"chosenCandidates": chosen}
        if more:
            others = [_token(f"~{number}", number + 3) for number in range(1, more)]
            found["topCandidates"] = [{"candidates": [one, *others]} for one in chosen]
        mean = sum(one["logProbability"] for one in chosen) / len(chosen)
        return {"avgLogprobs": mean, "logprobsResult": found}


def write(cloud: Cloud, asked: Asked, call: str, path: str) -> Written:
    """The answer to a request, with what faults make of it. Slow the first time: not for the event loop."""
    fault = cloud.faults.special(call, path, Kind.BLOCKED)
    block = (fault.message or "SAFETY") if fault else gemini_safety.blocked(asked.last, asked.safety)
    if block:
        return Written(asked, block=block)
    return _ended(cloud, _limited(_said(answering.of(cloud), asked, cloud, call, path)), call, path)


def _said(models: Answering, asked: Asked, cloud: Cloud, call: str, path: str) -> Written:
    reply = models.reply(asked)
    written = Written(asked, thoughts=asked.thoughts())
    spoilt = (reply.form or reply.calls) and cloud.faults.special(call, path, Kind.MALFORMED)
    if spoilt and reply.calls:
        return replace(written, finish="MALFORMED_FUNCTION_CALL")
    text = _spoilt(reply, spoilt.message) if spoilt else reply.text
    return replace(written, pieces=tuple(gemini_tokens.pieces(_stopped(text, asked))), calls=reply.calls)


def _spoilt(reply: Reply, how: str) -> str:
    """JSON that breaks off; where the fault's message says `schema`, sound JSON of another form."""
    return json.dumps({"unexpected": [1]}) if how == "schema" else reply.text[: len(reply.text) * 2 // 3]


def _stopped(text: str, asked: Asked) -> str:
    """The text up to the first of the words that end it."""
    ends: Sequence[str] = asked.config.get("stopSequences", ())
    return text[: min((place for one in ends if (place := text.find(one)) >= 0), default=len(text))]


def _limited(written: Written) -> Written:
    """At most so many tokens as are asked for, thoughts among them."""
    most = int(written.asked.config.get("maxOutputTokens", 65_536))
    thoughts = min(written.thoughts, most)
    if thoughts + written.tokens <= most:
        return replace(written, thoughts=thoughts)
    return replace(written, thoughts=thoughts, pieces=written.pieces[: most - thoughts], calls=(), finish="MAX_TOKENS")


def _ended(cloud: Cloud, written: Written, call: str, path: str) -> Written:
    """What faults make of the end: half of it is there."""
    fault = cloud.faults.special(call, path, Kind.SAFETY, Kind.TOO_LONG)
    if fault is None:
        return written
    finish = "SAFETY" if fault.kind is Kind.SAFETY else "MAX_TOKENS"
    return replace(written, pieces=written.pieces[: len(written.pieces) // 2], calls=(), finish=finish)


def _token(piece: str, place: int) -> dict[str, Any]:
    likely = _LOGPROBS[place % len(_LOGPROBS)]
    return {"token": piece, "tokenId": len(piece) * 1_000 + place, "logProbability": likely}
