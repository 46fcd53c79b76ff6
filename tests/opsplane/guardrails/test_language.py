import time
from pathlib import Path

import pytest
import yaml

from opsplane.finding import Action
from opsplane.guardrails import language
from opsplane.release import Release

QUESTIONS: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parents[3] / "benchmarks" / "languages.yaml").read_text(encoding="utf-8")
)


def speaking(release: Release, *languages: str, **replies: str) -> Release:
    """The release answering these languages only, with these replies about languages and no others."""
    rails = release.guardrails.model_copy(update={"languages": languages})
    rest = {name: text for name, text in release.replies.items() if not name.startswith("language")}
    return release.model_copy(update={"guardrails": rails, "replies": rest | replies})


@pytest.mark.parametrize("code", QUESTIONS)
def test_bank_questions_in_other_languages_are_recognised(code: str) -> None:
    told = [language.tell(text) for text in QUESTIONS[code]]
    assert sum(one is not None and one.code == code for one in told) >= 0.9 * len(told)


@pytest.mark.parametrize(
    "text",
    [
        "What is my balance?",
        "hola",
        "SWIFT BIC?",
        "How do I top up?",
        "Zelle limit",
        "Send 50 dollars to José García Márquez",
        "¿What is the APR?",
        "Do you have a branch in San José, Costa Rica?",
        "my name is Nguyen Van Minh",
        "PIN",
        "",
        "4821",
        "https://wrenfield.example/es/cuenta",
        "Hola, what is my balance?",
        "Whаt is mу bаlаnсе?",  # Cyrillic letters that look Latin
    ],
)
def test_english_names_and_abbreviations_are_english(text: str) -> None:
    assert language.tell(text) is None


def test_another_language_gets_the_general_reply_or_one_in_its_words(release: Release) -> None:
    general = speaking(release, "en", language="Call us.")
    own = speaking(release, "en", language="Call us.", language_es="Llámenos.")
    for text, spoken, reply in (
        (QUESTIONS["fr"][0], own, "language"),
        (QUESTIONS["es"][0], own, "language_es"),
        (QUESTIONS["es"][0], general, "language"),
    ):
        [finding] = language.findings(text, spoken)
        assert (finding.action, finding.reply) == (Action.REPLY, reply)


def test_only_a_release_that_lists_languages_and_words_the_reply_looks_at_them(release: Release) -> None:
    spanish = QUESTIONS["es"][0]
    assert language.findings(spanish, speaking(release, "en", language="Call us."))
    assert language.findings(spanish, speaking(release, language="Call us.")) == []
    assert language.findings(spanish, speaking(release, "en")) == []
    assert language.findings(spanish, speaking(release, "en", "es", language="Call us.")) == []


@pytest.mark.parametrize(
    ("text", "code"), [("口座を開きたいです", "ja"), ("Як відкрити рахунок?", "uk"), ("چگونه حساب باز کنم؟", "fa")]
)
def test_languages_of_one_script_are_told_by_their_letters(text: str, code: str) -> None:
    told = language.tell(text)
    assert told is not None
    assert told.code == code


def test_long_messages_cost_little() -> None:
    language.tell("Wie geht es Ihnen heute morgen?")
    start = time.process_time()
    for unit in ("ñ", "ха ", "a@", "http://", "\u200b", "字"):
        language.tell(unit * 50_000)
    assert time.process_time() - start < 0.3
