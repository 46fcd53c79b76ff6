"""The embedding models of an installation: its own and, where it has a project of Google Cloud, Google's."""

from collections.abc import Callable
from dataclasses import replace

from assistant.settings import Settings
from knowledge.embedding import MiniLM
from knowledge.encoders import Encoders, family
from knowledge.remote import Remote


def embedders(settings: Settings, model: MiniLM) -> Encoders:
    """All that an index can be of, by name; Google's are opened, and signed in, when they are first needed."""
    return family(model, remote(settings))


def remote(settings: Settings, booked: Callable[[str, int], None] | None = None) -> Remote | None:
    """Where Google's models are asked; None without a project. `booked` is told the tokens of each call."""
    cloud = settings.cloud
    if not cloud.project:
        return None
    where = Remote(cloud.project, cloud.location, cloud.login, cloud.address("gemini"), cloud.api_version)
    return replace(where, booked=booked) if booked else where
