"""The real clients, turned to a local cloud."""

from typing import Any

from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from assistant import sources
from tests import fakes
from tests.assistant.models import WordCounts
from tests.vertex.cloud import LOCATION, Cloud

FLASH, PRO = "gemini-3.8-flash", "gemini-4-argon"
SYSTEM = "You answer from the numbered sources. Answer in at most 3 sentences."
TEXTS = (
    "The overdraft fee is $15 for each item. We charge at most three overdraft fees a day.",
    "An outgoing domestic wire costs $30.",
)


def light() -> Cloud:
    """A cloud whose models count words instead of opening MiniLM."""
    return Cloud(held={"embeddings": WordCounts()})


def login() -> Credentials:
    """A token that opens nothing: Google's client refuses to go without."""
    return Credentials("dummy")  # type: ignore[no-untyped-call]


def client(cloud: Cloud, **changes: Any) -> genai.Client:
    """Google's own client, which asks once."""
    told: dict[str, Any] = {"project": cloud.project, "location": LOCATION, **changes}
    options = types.HttpOptions(base_url=cloud.url, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(vertexai=True, credentials=login(), http_options=options, **told)


def chat(cloud: Cloud, model: str = FLASH, **changes: Any) -> ChatGoogleGenerativeAI:
    """LangChain's chat model, which asks once."""
    told: dict[str, Any] = {"project": cloud.project, "location": LOCATION, "max_retries": 1, **changes}
    return ChatGoogleGenerativeAI(model=model, vertexai=True, base_url=cloud.url, credentials=login(), **told)


def asked(question: str = "What is the overdraft fee?", texts: tuple[str, ...] = TEXTS) -> list[BaseMessage]:
    """A prompt with sources, as the assistant writes it."""
    passages = [fakes.passage(number, text) for number, text in enumerate(texts, 1)]
    today = sources.write_today(fakes.NOON.date())
    return [SystemMessage(SYSTEM), HumanMessage(f"{today}\n{sources.write(passages, question)}")]


def contents(question: str = "What is the overdraft fee?") -> str:
    """The customer's turn of that prompt."""
    return str(asked(question)[-1].text)
