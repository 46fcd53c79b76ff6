"""Structured output: the form that is asked for, and whether an answer has it, with nothing repaired in silence."""

from typing import Any

from langchain_core.messages import AIMessage
from pydantic import BaseModel, ValidationError


class Form:
    """A pydantic class whose JSON a model is to write; raises `ValueError` for anything else."""

    def __init__(self, kind: Any) -> None:
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            raise ValueError("the form of an answer is a pydantic class")
        self._kind = kind

    @property
    def wanted(self) -> dict[str, Any]:
        """What a model is told, in the form that OpenAI's and Google's classes both take."""
        schema = {"name": self._kind.__name__, "schema": self._kind.model_json_schema()}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}

    def fits(self, text: str) -> bool:
        """Whether a text is JSON of this form; LangChain's own parsers would complete what was cut off."""
        try:
            self._kind.model_validate_json(text)
        except ValidationError:
            return False
        return True

    def read(self, message: AIMessage) -> BaseModel | None:
        """The value; None where no model gave one."""
        return self._kind.model_validate_json(str(message.text)) if self.fits(str(message.text)) else None
