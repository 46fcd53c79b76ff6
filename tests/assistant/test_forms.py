import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from assistant.forms import Form


class Verdict(BaseModel):
    """A form to be filled in."""

    verdict: str
    reasons: list[str] = []


def test_json_of_the_form_is_read() -> None:
    message = AIMessage('{"verdict": "good", "reasons": ["clear"]}')
    assert Form(Verdict).read(message) == Verdict(verdict="good", reasons=["clear"])


@pytest.mark.parametrize("text", ["", '{"verdict": "good", "reasons": ["cl', "{}", "[]", "good", '{"verdict": 1}'])
def test_nothing_is_repaired(text: str) -> None:
    assert not Form(Verdict).fits(text)
    assert Form(Verdict).read(AIMessage(text)) is None


def test_models_are_told_the_schema() -> None:
    told = Form(Verdict).wanted["response_format"]["json_schema"]
    assert (told["name"], told["schema"]["required"]) == ("Verdict", ["verdict"])


def test_only_a_class_is_a_form() -> None:
    with pytest.raises(ValueError, match="pydantic class"):
        Form({"type": "object"})
