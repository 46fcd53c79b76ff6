"""What the local models say: answers out of the passages they are sent, by the product's own extractive model.

The last turn of the customer is what `assistant.sources` writes. So answers have the marks and the sentences that the
golden set is about, and go through the real clients. Equal requests get equal answers, from memory the second time.
"""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from assistant import sources
from assistant.extractive.confidence import Encoder
from assistant.extractive.model import ExtractiveChat
from assistant.sentences import split
from knowledge import embedding
from knowledge.embedding import MiniLM
from opsplane.guardrails import wording
from tests.library import MODELS
from tests.vertex import gemini_models, gemini_schema, gemini_verdicts
from tests.vertex.cloud import Cloud
from tests.vertex.gemini_request import Asked, Turn, text_of

NOT_THERE = "The sources do not answer this question."
_NO_SOURCES = "I was given no sources to answer from."
_MOST = re.compile(r"Answer in at most (\d{1,2}) sentences")
_OPENING = re.compile(r'Begin with exactly these words: "([^"\n]*)"')
_AGAIN = re.compile(r"One sentence of your answer was refused: (?P<said>.*)\nReason: .*\nWrite that one sentence again")
_MARK = re.compile(r"\s*\[\d+\]")
_MORE_ON_PRO = 2
_HELD = 0.5
"""So much of a refused sentence's words the sentence that takes its place must hold."""
_KEPT = 4_096
_opening = Lock()


@dataclass(frozen=True)
class Reply:
    """What a model says: words, or functions to call. `form` tells that the words are JSON that was asked for."""

    text: str = ""
    calls: tuple[Mapping[str, Any], ...] = ()
    form: bool = False


class Answering:
    """The models of one cloud; may be asked from several threads."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._kept: OrderedDict[str, Reply] = OrderedDict()
        self._lock = Lock()

    def reply(self, asked: Asked) -> Reply:
        """The answer to a request."""
        key = _key(asked)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = self._made(asked)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made

    def _made(self, asked: Asked) -> Reply:
        verdict = gemini_verdicts.reply(asked.last)
        if asked.mode == "ANY" and asked.callable:
            return self._forced(asked)
        if asked.schema is not None:
            words = self._extracted(asked).text
            fits = verdict is not None and gemini_schema.fits(json.loads(verdict), asked.schema)
            made = verdict if fits else json.dumps(gemini_schema.value(asked.schema, words or asked.last))
            return Reply(str(made), form=True)
        if verdict is not None:
            return Reply(verdict, form=True)
        if again := _AGAIN.search(asked.last):
            return Reply(_borne_out(_MARK.sub("", again["said"]), asked))
        return self._extracted(asked)

    def _forced(self, asked: Asked) -> Reply:
        """A call, whatever the question: the one that it asks for, else the first with arguments that fit."""
        found = self._extracted(asked)
        if found.calls:
            return found
        tool = next(one for one in asked.tools if one["name"] in asked.callable)
        schema = tool.get("parametersJsonSchema") or tool.get("parameters") or {}
        return Reply(calls=({"name": tool["name"], "args": gemini_schema.value(schema, asked.last)},))

    def _extracted(self, asked: Asked) -> Reply:
        most, opening = _MOST.search(asked.system), _OPENING.search(asked.system)
        sentences = int(most[1]) if most else 4
        if gemini_models.is_pro(asked.model):
            sentences += _MORE_ON_PRO
        chat = ExtractiveChat(
            embeddings=self.encoder, sentences=min(sentences, 12), opening=opening[1] if opening else ""
        )
        messages = _messages(asked)
        tools = [{"function": {"name": name}} for name in sorted(asked.callable)]
        said = chat.invoke(messages, {"callbacks": []}, tools=tools)
        calls = tuple({"name": call["name"], "args": call["args"]} for call in said.tool_calls)
        fenced = any(isinstance(one, HumanMessage) and sources.read(one.text)[0] for one in messages)
        return Reply(str(said.text) or ("" if calls else NOT_THERE if fenced else _NO_SOURCES), calls)


def of(cloud: Cloud) -> Answering:
    """The models of a cloud. `cloud.held["embeddings"]` may hold another embedding model than the product's own."""
    with _opening:  # not the cloud's own lock, which every call needs
        if "answering" not in cloud.held:
            cloud.held["answering"] = Answering(cloud.held.get("embeddings") or _opened())
        found: Answering = cloud.held["answering"]
    return found


@cache
def _opened() -> MiniLM:
    """The product's embedding model, with what it has embedded of the corpus before."""
    model = embedding.load(MODELS)
    model.recall(MODELS / "known.npz")
    return model


def _borne_out(said: str, asked: Asked) -> str:
    """The sentence of the sources that holds most of a refused one, with its number; nothing where none holds half."""
    if said.strip() == NOT_THERE:  # its words are about sources and questions, and so may be a source's own
        return ""
    words = wording.stems(said)
    given = [one for turn in asked.contents for one in _given(turn)]
    texts = [(sentence, number) for number, text in given for sentence in split(text)]
    if not words or not texts:
        return ""
    best, number = max(texts, key=lambda one: len(words & wording.stems(one[0])))
    return f"{best} [{number}]" if len(words & wording.stems(best)) >= _HELD * len(words) else ""


def _given(turn: Turn) -> list[tuple[int, str]]:
    """Number and text of everything that a turn brings to answer from."""
    fenced, _ = sources.read(text_of(turn))
    results = [sources.read_result(message.text) for message in _results(turn)]
    return [*((one.number, one.text) for one in fenced), *results]


def _messages(asked: Asked) -> list[BaseMessage]:
    """The conversation as LangChain holds it."""
    found: list[BaseMessage] = [SystemMessage(asked.system)] if asked.system else []
    for turn in asked.contents:
        if results := _results(turn):
            found += results
        elif turn.get("role") == "model":
            found.append(AIMessage(text_of(turn)))
        else:
            found.append(HumanMessage(text_of(turn)))
    return found


def _results(turn: Turn) -> list[ToolMessage]:
    answered: Iterable[Mapping[str, Any]] = (
        part["functionResponse"] for part in turn.get("parts", ()) if "functionResponse" in part
    )
    return [
        ToolMessage(_told(one.get("response", {})), name=str(one.get("name", "")), tool_call_id=f"call_{number}")
        for number, one in enumerate(answered, 1)
    ]


def _told(response: Any) -> str:
    """A function's result as text: LangChain puts it under `output`, others under `result`."""
    if isinstance(response, dict) and len(response) == 1:
        response = next(iter(response.values()))
    return response if isinstance(response, str) else json.dumps(response, ensure_ascii=False)


def _key(asked: Asked) -> str:
    told = [
        gemini_models.is_pro(asked.model),
        [dict(turn) for turn in asked.contents],
        asked.system,
        sorted(asked.callable),
        asked.mode,
        asked.schema,
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
