from contextlib import closing
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from assistant import sources
from assistant.cached_chat import CachedChat
from assistant.cloud import Cloud
from assistant.extractive.model import ExtractiveChat
from assistant.llm import ChatModels
from assistant.prefix_cache import PrefixCaches
from assistant.resilient import ResilientChat
from opsplane import spend
from opsplane.errors import InvalidRelease
from opsplane.exchange import Tier
from opsplane.release import Release
from tests import fakes
from tests.assistant.models import WordCounts

TEXT = (
    "The overdraft fee is $15 for each item.\n\nThe overdraft fee is $0 when the account is overdrawn by $20 or less."
)


def chat_model(one: Release, tier: Tier = Tier.FLASH, cloud: Cloud | None = None) -> Any:
    return ChatModels(WordCounts(), cloud)(one, tier)


def release(name: str, settings: dict[str, Any] | None = None, **changes: Any) -> Release:
    models = {"flash": {"name": name, "settings": settings or {}}, "pro": {"name": "embedded:extractive"}}
    return fakes.release(models=models, **changes)


def answer(one: Release, tier: Tier = Tier.FLASH) -> str:
    prompt = sources.write([fakes.passage(1, TEXT)], "What is the overdraft fee?")
    return str(chat_model(one, tier).invoke([HumanMessage(prompt)]).text)


def test_the_embedded_model_takes_its_style_from_the_release() -> None:
    model = chat_model(release("embedded:extractive", style={"sentences": 2, "opening": "Gladly."}), Tier.FLASH)
    assert isinstance(model, ExtractiveChat)
    assert (model.sentences, model.opening) == (2, "Gladly.")


def test_settings_of_a_tier_go_before_the_style() -> None:
    one = release("embedded:extractive", {"sentences": 5}, style={"sentences": 2})
    models = [chat_model(one, tier) for tier in Tier]
    assert [model.sentences for model in models if isinstance(model, ExtractiveChat)] == [5, 2]


def test_two_releases_are_told_apart_by_their_style() -> None:
    short = release("embedded:extractive", style={"sentences": 1})
    long = release("embedded:extractive", style={"sentences": 3, "opening": "Gladly."})
    assert answer(short).count("[1]") == 1
    assert answer(long).count("[1]") > 1
    assert answer(long).startswith("Gladly.")


def test_a_model_is_built_once_for_a_release_and_tier() -> None:
    models = ChatModels(WordCounts())
    one = release("embedded:extractive", note="built once")
    first = models(one, Tier.FLASH)
    assert models(one, Tier.FLASH) is first
    assert models(one, Tier.PRO) is not first
    assert models(release("embedded:extractive", note="another"), Tier.FLASH) is not first


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
        chat_model(release(name, settings), Tier.FLASH)


def test_a_missing_credential_names_the_release() -> None:
    with pytest.raises(InvalidRelease, match=r"test-1: models\.flash"):
        chat_model(release("google_genai:gemini-3.8-flash", {"api_key": ""}), Tier.FLASH)


GEMINI = "google_genai:gemini-3.8-flash"
KEY = {"api_key": "none"}


def gemini(settings: dict[str, Any] | None = None, **changes: Any) -> Any:
    return chat_model(release(GEMINI, KEY | (settings or {}), **changes), Tier.FLASH)


def test_generation_goes_to_the_provider_in_its_own_names() -> None:
    generation = {"temperature": 0, "top_p": 0.5, "top_k": 7, "max_output_tokens": 99, "seed": 3, "stop": ["END"]}
    model = gemini(generation=generation | {"thinking_budget": 0})
    assert {name: getattr(model, name) for name in generation} == generation
    assert model.thinking_budget == 0


def test_what_is_left_out_is_the_providers_choice() -> None:
    assert (gemini().temperature, gemini().seed, gemini().safety_settings) == (
        gemini(note="another").temperature,
        None,
        None,
    )


def test_a_models_own_settings_go_before_the_releases() -> None:
    model = gemini({"temperature": 0.9}, generation={"temperature": 0.1, "seed": 3})
    assert (model.temperature, model.seed) == (0.9, 3)


def test_safety_goes_to_googles_models() -> None:
    model = gemini(safety={"HARM_CATEGORY_HARASSMENT": "BLOCK_ONLY_HIGH"})
    told = {category.value: threshold.value for category, threshold in model.safety_settings.items()}
    assert told == {"HARM_CATEGORY_HARASSMENT": "BLOCK_ONLY_HIGH"}


def test_the_embedded_model_reads_neither_beside_one_that_does() -> None:
    one = fakes.release(
        models={"flash": {"name": "embedded:extractive"}, "pro": {"name": GEMINI}},
        generation={"temperature": 0.1},
        safety={"HARM_CATEGORY_HARASSMENT": "OFF"},
    )
    assert isinstance(chat_model(one, Tier.FLASH), ExtractiveChat)


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("openai:gpt-5-2025-08-07", {"safety": {"HARM_CATEGORY_HARASSMENT": "OFF"}}, "takes no safety settings"),
        (GEMINI, {"safety": {"HARM_CATEGORY_NOISE": "OFF"}}, "knows no 'HARM_CATEGORY_NOISE'"),
        (GEMINI, {"safety": {"HARM_CATEGORY_HARASSMENT": "BLOCK_SOME"}}, "knows no 'BLOCK_SOME'"),
        ("openai:gpt-5-2025-08-07", {"generation": {"thinking_budget": 1}}, "generation.thinking_budget"),
        ("mistralai:mistral-large-2411", {"generation": {"seed": 1}}, "generation.seed"),
        ("embedded:extractive", {"generation": {"seed": 1}}, "no language model writes"),
        ("embedded:extractive", {"safety": {"HARM_CATEGORY_HARASSMENT": "OFF"}}, "no language model writes"),
    ],
)
def test_what_a_model_cannot_be_told_is_refused(name: str, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRelease, match=rf"test-1: .*{told}"):
        chat_model(release(name, **changes), Tier.FLASH)


BANK = Cloud(project="bank", location="europe-west4", others=("europe-west1",), credentials="none")


def resilient(**flash: Any) -> Any:
    models = {"flash": {"name": GEMINI} | flash, "pro": {"name": GEMINI, "settings": KEY}, "resilience": {}}
    return chat_model(fakes.release(models=models), Tier.FLASH, BANK)


def test_with_a_project_googles_models_are_asked_there() -> None:
    model = chat_model(release(GEMINI), Tier.FLASH, BANK)
    assert (model.vertexai, model.project, model.location, model.max_retries) == (True, "bank", "europe-west4", 1)
    assert model.labels == {"release": "test-1", "tier": "flash", "purpose": "answer"}


def test_a_releases_own_settings_go_before_the_clouds() -> None:
    model = chat_model(release(GEMINI, {"location": "us-east1", "timeout": 3.0}), Tier.FLASH, BANK)
    assert (model.location, model.timeout, model.project) == ("us-east1", 3.0, "bank")


def test_without_a_project_nothing_is_told_of_a_cloud() -> None:
    assert (gemini().vertexai, gemini().project, gemini().labels) == (None, None, None)


def test_a_resilient_model_stands_on_every_rung() -> None:
    model = resilient()
    assert isinstance(model, ResilientChat)
    assert [(one.rung.name, one.rung.region) for one in model.places] == [
        (GEMINI, "europe-west4"),
        (GEMINI, ""),
        (GEMINI, "europe-west1"),
        ("embedded:extractive", ""),
    ]
    assert [one.chat.max_retries for one in model.places[:3]] == [1, 1, 1]  # type: ignore[attr-defined]  # Google's


def test_models_of_both_tiers_share_what_they_fall_back_on() -> None:
    models = {"flash": {"name": GEMINI}, "pro": {"name": "google_genai:gemini-4-argon"}, "resilience": {}}
    made, one = ChatModels(WordCounts(), BANK), fakes.release(models=models)
    flash, pro = made(one, Tier.FLASH), made(one, Tier.PRO)
    assert isinstance(flash, ResilientChat)
    assert isinstance(pro, ResilientChat)
    assert flash.places[1].chat is pro.places[0].chat
    assert flash.breaker is pro.breaker


def test_the_provider_keeps_the_beginning_of_prompts_where_the_release_says_so() -> None:
    models = {"flash": {"name": GEMINI}, "pro": {"name": GEMINI}, "resilience": {}, "caching": {}}
    with closing(PrefixCaches(spend.load())) as caches:
        model = ChatModels(WordCounts(), BANK, caches=caches)(fakes.release(models=models), Tier.FLASH)
    assert isinstance(model, ResilientChat)
    kinds = [type(one.chat) for one in model.places]
    assert kinds == [CachedChat, CachedChat, ExtractiveChat]


def test_a_fallback_that_cannot_be_used_is_told_at_once() -> None:
    models = {"flash": {"name": GEMINI}, "pro": {"name": "cohere:command-r"}, "resilience": {}}
    with pytest.raises(InvalidRelease, match=r"test-1: models\.pro\.name"):
        chat_model(fakes.release(models=models), Tier.FLASH, BANK)


def test_an_error_that_is_told_has_no_key_in_it() -> None:
    with pytest.raises(InvalidRelease) as told:
        chat_model(release(GEMINI, {"api_key": "s3cret", "temperature": 9}), Tier.FLASH)
    assert "s3cret" not in str(told.value)
