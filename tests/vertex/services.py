"""Everything that the local cloud can do: the verbs of all its services."""

from tests.vertex.armor import VERBS as ARMOR
from tests.vertex.batch import VERBS as BATCH
from tests.vertex.cloud import Verb
from tests.vertex.control import VERBS as CONTROL
from tests.vertex.discovery import VERBS as DISCOVERY
from tests.vertex.embeddings import VERBS as EMBEDDINGS
from tests.vertex.gemini import VERBS as GEMINI
from tests.vertex.storage import VERBS as STORAGE
from tests.vertex.tuning import VERBS as TUNING
from tests.vertex.vector_collections import VERBS as COLLECTIONS
from tests.vertex.vector_index import VERBS as INDEX

VERBS: tuple[Verb, ...] = (
    *CONTROL,
    *GEMINI,
    *EMBEDDINGS,
    *TUNING,
    *BATCH,
    *STORAGE,
    *INDEX,
    *COLLECTIONS,
    *DISCOVERY,
    *ARMOR,
)
