"""What turns are observed with: a tracer, the meters, and how models and customers are named there."""

import asyncio
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from assistant import conventions as names
from assistant.cloud import Cloud
from assistant.llm import EMBEDDED
from assistant.meters import Attributes, Meters
from opsplane.exchange import Route
from opsplane.release import Release

_NAME = re.compile(r"[\w.-]{1,64}")


@dataclass(frozen=True)
class Observer:
    """`secret` is the key of the hash that a customer is called by; `cloud` says where Google's models are asked."""

    tracer: Tracer
    meters: Meters
    secret: bytes
    cloud: Cloud

    def pseudonym(self, customer: str) -> str:
        """The same name for a customer in every trace; a keyed hash, since ids are few enough to be tried out."""
        if not customer:
            return ""
        return hashlib.blake2b(customer.encode(), key=self.secret, digest_size=16).hexdigest()

    @contextmanager
    def span(self, name: str, attributes: Attributes | None = None) -> Iterator[Span]:
        """A span around a step, under the current one. Of an error it tells the kind: its words may be anyone's."""
        made = self.tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        )
        with made as span:
            try:
                yield span
            except asyncio.CancelledError:
                span.add_event("stopped")
                raise
            except Exception as error:
                failed(span, type(error).__name__)
                raise

    def asked(self, route: Route) -> Attributes:
        """A model as the conventions describe it."""
        prefix = route.model.partition(":")[0]
        vertex = prefix == "google_genai" and bool(self.cloud.project)
        provider = names.VERTEX if vertex else names.PROVIDERS.get(prefix, prefix)
        told: Attributes = {
            names.OPERATION: names.CHAT,
            names.PROVIDER: provider,
            names.REQUEST_MODEL: bare(route.model),
        }
        if provider != names.VERTEX:
            return told
        region = route.region or self.cloud.location
        return told | {names.REGION: region} | _server(self.cloud.address("gemini") or _google(region))


def failed(span: Span, kind: str) -> None:
    """Mark a span as failed, by the kind of its error."""
    span.set_attribute(names.ERROR_TYPE, kind)
    span.set_status(Status(StatusCode.ERROR))


def kind_of(route: Route) -> SpanKind:
    """A model in this process is asked inside, every other one over a network."""
    return SpanKind.INTERNAL if route.model == EMBEDDED else SpanKind.CLIENT


def written(release: Release) -> Attributes:
    """How a model is told to write."""
    told = release.generation.model_dump()
    return {name: told[key] for key, name in names.GENERATION.items() if told.get(key) is not None}


def bare(model: str) -> str:
    """A model's name without the provider's."""
    provider, colon, name = model.partition(":")
    return name if colon else provider


def plain(name: str) -> str:
    """A name that a model or a provider gave, unless it is none."""
    return name if _NAME.fullmatch(name) else "other"


def _google(region: str) -> str:
    """Vertex AI's address in a region."""
    if region in ("us", "eu"):
        return f"https://aiplatform.{region}.rep.googleapis.com"
    return f"https://{'' if region == 'global' else f'{region}-'}aiplatform.googleapis.com"


def _server(address: str) -> Attributes:
    found = urlsplit(address if "//" in address else f"//{address}")
    port = found.port or (80 if found.scheme == "http" else 443)
    return {names.SERVER_ADDRESS: found.hostname or "", names.SERVER_PORT: port}
