"""Everything that the local cloud can do."""

from tests.vertex.cloud import Verb
from tests.vertex.gemini import VERBS as GEMINI

VERBS: tuple[Verb, ...] = (*GEMINI,)
