"""A serving configuration of the local cloud, and the door to it."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from assistant.cloud import Cloud as Where
from assistant.discovery import Discovery
from opsplane.release import Engine
from tests.vertex.cloud import Cloud

NAME = "projects/bank/locations/global/collections/default_collection/engines/bank/servingConfigs/default_search"


def door(cloud: Cloud, clock: Callable[[], float] = monotonic, **where: Any) -> Discovery:
    """Google's clients, told that Google is on this machine."""
    told = {"project": "bank", "credentials": "none", "anywhere": cloud.url} | where
    return Discovery(Where(**told), clock)


def engine(**changes: Any) -> Engine:
    """A release's line."""
    return Engine.model_validate({"name": NAME} | changes)
