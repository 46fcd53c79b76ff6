from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from assistant import sources
from assistant.extractive.model import ExtractiveChat
from assistant.llm import chat_model
from opsplane.errors import InvalidRelease
from opsplane.exchange import Tier
from opsplane.release import Release
from tests import fakes
from tests.assistant.models import WordCounts

TEXT = (
    "The overdraft fee is $15 for each item.\n\nThe overdraft fee is $0 when the account is overdrawn by $20 or less."
)


def release(name: str, settings: dict[str, Any] | None = None, **changes: Any) -> Release:
    models = {"flash": {"name": name, "settings": settings or {}}, "pro": {"name": "embedded:extractive"}}
    return fakes.release(models=models, **changes)


def answer(one: Release, tier: Tier = Tier.FLASH) -> str:
    prompt = sources.write([fakes.passage(1, TEXT)], "What is the overdraft fee?")
    return chat_model(one, tier, WordCounts()).invoke([HumanMessage(prompt)]).text


def test_the_embedded_model_takes_its_style_from_the_release() -> None:
    model = chat_model(
        release("embedded:extractive", style={"sentences": 2, "opening": "Gladly."}), Tier.FLASH, WordCounts()
    )
    assert isinstance(model, ExtractiveChat)
    assert (model.sentences, model.opening) == (2, "Gladly.")


def test_settings_of_a_tier_go_before_the_style() -> None:
    one = release("embedded:extractive", {"sentences": 5}, style={"sentences": 2})
    models = [chat_model(one, tier, WordCounts()) for tier in Tier]
    assert [model.sentences for model in models if isinstance(model, ExtractiveChat)] == [5, 2]


def test_two_releases_are_told_apart_by_their_style() -> None:
    short = release("embedded:extractive", style={"sentences": 1})
    long = release("embedded:extractive", style={"sentences": 3, "opening": "Gladly."})
    assert answer(short).count("[1]") == 1
    assert answer(long).count("[1]") > 1
    assert answer(long).startswith("Gladly.")


def test_a_model_is_built_once_for_a_release_and_tier() -> None:
    embeddings = WordCounts()
    one = release("embedded:extractive", note="built once")
    first = chat_model(one, Tier.FLASH, embeddings)
    assert chat_model(one, Tier.FLASH, embeddings) is first
    assert chat_model(one, Tier.PRO, embeddings) is not first
    assert chat_model(release("embedded:extractive", note="another"), Tier.FLASH, embeddings) is not first


@pytest.mark.parametrize(
    ("name", "settings", "field"),
    [
        ("embedded:generative", {}, "models.flash.name"),
        ("embedded:extractive", {"sentences": 99}, "models.flash.settings"),
        ("embedded:extractive", {"temperature": 0.1}, "models.flash.settings"),
        ("cohere:command-r", {}, "models.flash.name"),
        ("nobody:knows", {}, "models.flash"),
    ],
)
def test_a_model_that_cannot_be_used_is_named_with_its_release_and_field(
    name: str, settings: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRelease, match=rf"test-1: {field}"):
        chat_model(release(name, settings), Tier.FLASH, WordCounts())


def test_a_missing_credential_names_the_release() -> None:
    with pytest.raises(InvalidRelease, match=r"test-1: models\.flash"):
        chat_model(release("google_genai:gemini-3.8-flash", {"api_key": ""}), Tier.FLASH, WordCounts())
