"""The local cloud's clock, which tests move: what expires and what takes hours is over at once."""

from datetime import UTC, datetime, timedelta

from tests.vertex.cloud import Cloud


def now(cloud: Cloud) -> datetime:
    """The present time of this cloud."""
    moved: timedelta = cloud.held.get("clock", timedelta(0))
    return datetime.now(UTC) + moved


def move(cloud: Cloud, seconds: float) -> None:
    """So many seconds pass."""
    with cloud.lock:
        cloud.held["clock"] = cloud.held.get("clock", timedelta(0)) + timedelta(seconds=seconds)


def stamp(at: datetime) -> str:
    """A time as Google writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
