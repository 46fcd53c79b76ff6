"""What a model is asked that reads answers: prompts as versioned files, and texts between fences they cannot forge.

The words on the fences and the check word are drawn from the SHA-256 of the prompt and of every text. So equal input
gives an equal request, and no text can hold its own fence: it would have to hold a part of its own hash.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from string import Template
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opsplane import yamlfile

FOLDER = Path(__file__).parents[1] / "prompts"
LONGEST = 30_000
"""Characters of one text that are shown; the rest is cut off."""
_WORD = 24  # hexadecimal digits

Titled = tuple[str, str]
"""What a text is, such as "answer" or "source 2", and the text."""


class Prompt(BaseModel):
    """A prompt. `system` names the word on the fences as `$mark`, `ask` the word to be repeated as `$check`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")
    version: int = Field(ge=1)
    source: str
    system: str = Field(min_length=40)
    ask: str = Field(min_length=20)

    @model_validator(mode="after")
    def _names(self) -> Self:
        for field, text, name in (("system", self.system, "mark"), ("ask", self.ask, "check")):
            template = Template(text)
            if not template.is_valid() or template.get_identifiers() != [name]:
                raise ValueError(f"{field}: it must name ${name}, and nothing else")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that it says."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def about(self, texts: Sequence[Titled]) -> tuple[str, str, str]:
        """The system text, the user text with every text between its fences, and the check word."""
        shown = [(title, text.strip()[:LONGEST]) for title, text in texts]
        drawn = hashlib.sha256(json.dumps([self.digest, shown]).encode()).hexdigest()
        mark, check = drawn[:_WORD], drawn[_WORD : 2 * _WORD]
        laid = [f"<<<{title} {mark}>>>\n{text}\n<<<end of {title} {mark}>>>" for title, text in shown]
        asked = Template(self.ask).substitute(check=check).strip()
        return Template(self.system).substitute(mark=mark), "\n\n".join([*laid, asked]), check


@cache
def load(name: str) -> Prompt:
    """The prompt of this name; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(FOLDER / f"{name}.yaml", Prompt)
