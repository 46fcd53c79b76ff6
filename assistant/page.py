"""The page as the screen of one message: a row of steps, the streamed answer, its citations, panels and files."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, ClassVar

import chainlit as cl
from chainlit.utils import utc_now
from pydantic.dataclasses import dataclass

from assistant.bootstrap import App
from assistant.citations import cited, inert, mark, token, words
from assistant.panels import Panel
from opsplane.evidence import Evidence, Sentence
from opsplane.exchange import Exchange, Outcome

_STEPS = {
    "release": "Release",
    "search": "Search",
    "classify": "Classify",
    "route": "Route",
    "account": "Accounts",
    "check": "Check",
}
_EMBEDDED = "embedded:"
_MARKDOWN = "text/markdown"


@dataclass
class _Figure(cl.element.Element):
    """A Plotly figure as JSON; Chainlit's own wants the plotly package, of which only the browser's part is needed."""

    type: ClassVar[Any] = "plotly"
    size: cl.element.ElementSize | None = "large"
    mime: str | None = "application/json"


class Page:
    """Shows one message's effects to the person who sent it; implements `chat.Screen`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._answer: cl.Message | None = None
        self._last: Sentence | None = None
        self._steps: cl.Step | None = None
        self.asked = False  # a question was answered; else it was a command
        self._parent = cl.context.current_step.id if cl.context.current_step else None

    async def step(self, name: str, detail: str) -> None:
        """Another step in the row, with its detail inside; the row opens with a click."""
        label = _STEPS.get(name, name.capitalize())
        line = f"- **{label}**: {words(detail)}"
        if self._steps is None:
            self._steps = cl.Step(name=label, type="tool", icon="list-checks", parent_id=self._parent)
            self._steps.start = self._steps.created_at
            self._steps.show_input = False
            self._steps.output = line
            await self._steps.send()
            return
        if not self._steps.name.endswith(label):  # another model stood in: another route, but the same step
            self._steps.name += f" · {label}"
        self._steps.output += f"\n{line}"
        await cl.context.emitter.update_step(self._steps.to_dict())

    async def say(self, sentence: Sentence, evidence: Sequence[Evidence]) -> None:
        """One sentence as one piece of the stream."""
        if self._answer is None:
            self._answer = cl.Message("")
        await self._answer.stream_token(token(sentence, self._last, evidence))
        self._last = sentence

    async def show(self, panel: Panel) -> None:
        """A panel as a message of its own, its files below it."""
        await self._close()
        elements: list[cl.Element] = []
        files = [*([panel.download] if panel.download else []), *panel.downloads]
        elements += [cl.File(name=one.name, content=one.content, mime=one.mime, display="inline") for one in files]
        if panel.figure:
            elements.append(_Figure(name="figure", content=json.dumps(panel.figure), display="inline"))
        for element in elements:
            element.kept = panel.kept
        await cl.Message(inert(panel.text), elements=elements, metadata={"kept": panel.kept}).send()

    async def done(self, exchange: Exchange) -> None:
        """End the answer: the small print, and for each mark the passage that it opens.

        Elements shown at the side would open the panel as soon as they arrive, those with a page of their own wait
        for a click; `public/passages.js` turns that click into `open_passage`.
        """
        if self._answer is not None:
            await self._answer.stream_token(await self._small_print(exchange))
            passages: list[Any] = [  # Chainlit's own annotation binds no type
                cl.Text(name=mark(number), url=f"/passages/{exchange.id}/{number}", display="page", mime=_MARKDOWN)
                for number in cited(exchange.sentences)
            ]
            self._answer.elements = passages
        self.asked = True
        if run := cl.context.current_run:
            run.metadata["exchange"] = exchange.id
        await self._close()

    async def stopped(self) -> None:
        """Keep what was said so far, and say that it stops there."""
        if self._answer is None:
            self._answer = cl.Message("")
        await self._answer.stream_token("\n\n*Stopped. The answer is not complete.*")
        await self._close()

    async def _close(self) -> None:
        if self._steps is not None:
            self._steps.end = utc_now()
            await self._steps.update()
            self._steps = None
        if self._answer is not None:
            await self._answer.send()
            self._answer = None

    async def _small_print(self, exchange: Exchange) -> str:
        if exchange.outcome is not Outcome.ANSWERED or exchange.route is None:
            return ""
        if not exchange.route.model.startswith(_EMBEDDED):
            return ""
        release = await asyncio.to_thread(self._app.parts.plane.find, exchange.digest)
        return f"\n\n*{words(release.disclosures.embedded)}*"


async def open_passage(label: str, address: str) -> None:
    """Open the side panel on the passage at one of our own addresses."""
    passage = cl.Text(name=label, url=address, display="side", mime=_MARKDOWN)
    await cl.context.emitter.emit("set_sidebar_elements", {"elements": [passage.to_dict()], "key": address})
    await cl.context.emitter.emit("set_sidebar_title", f"Source {label}")
