import pytest

from opsplane.evaluation.completion import Completion
from opsplane.evaluation.scorers import prompt
from opsplane.evaluation.scorers.ragas_model import Statements
from opsplane.evaluation.scorers.reader import parsed
from opsplane.spend import Purpose
from tests.opsplane.evaluation.scorers.answering import replying

GOOD = '{"check": "abc", "statements": ["One."]}'


def told(text: str) -> Completion:
    return Completion(text=text, model="scripted")


@pytest.mark.parametrize("text", [GOOD, f"\n{GOOD}\n", f"```json\n{GOOD}\n```", f"```\n{GOOD}\n```"])
def test_one_object_is_read_bare_or_in_a_code_fence(text: str) -> None:
    assert parsed(told(text), Statements) == Statements(check="abc", statements=("One.",))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "it is empty"),
        ("x" * 100_000, "it is longer than 60,000 characters"),
        (f"{GOOD} {GOOD}", "Invalid JSON"),
        (f"Here: {GOOD}", "Invalid JSON"),
        ('{"check": "abc"}', "statements: Field required"),
        ('{"check": "abc", "statements": [1]}', "statements.0: Input should be a valid string"),
        ('{"check": "abc", "statements": [], "score": 7}', "score: Extra inputs are not permitted"),
        ('["abc"]', "Input should be an object"),
    ],
)
def test_everything_else_is_told_to_be_wrong(text: str, wrong: str) -> None:
    found = parsed(told(text), Statements)
    assert isinstance(found, str)
    assert wrong in found


async def test_calls_are_booked_as_the_judges() -> None:
    reader, _ = replying(GOOD)
    read = await reader.read(prompt.load("ragas_statements"), [("answer", "One.")], Statements)
    assert (read.reply, read.why) == (None, "the model's reply cannot be read: it does not hold the check word")
    assert [(cost.purpose, cost.micros) for cost in read.costs] == [(Purpose.JUDGE, 120)]
