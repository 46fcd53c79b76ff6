"""The trace that a proxy began: HTTP calls go on with it, and turns of a socket refer to the one it was opened under.

A socket lives for hours and carries many turns, so each turn is a trace of its own with a link to the socket's.
"""

from collections.abc import Iterable
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.trace import SpanContext, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.meters import Attributes

CONNECTION: ContextVar[SpanContext | None] = ContextVar("connection", default=None)
"""The trace that the socket was opened under, while one of its messages is met."""

_LONGEST = 512
_FIELDS = TraceContextTextMapPropagator()
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Continued:
    """ASGI: what is done for a call that comes with a trace belongs to that trace; every other call passes through."""

    def __init__(self, app: ASGIApp, tracer: Tracer | None = None) -> None:
        self._app, self._tracer = app, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One call, or one socket."""
        behind = remote(scope["headers"]) if scope["type"] in ("http", "websocket") else None
        if behind is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            before = CONNECTION.set(behind)
            try:
                await self._app(scope, receive, send)
            finally:
                CONNECTION.reset(before)
        else:
            await self._go_on(behind, scope, receive, send)

    async def _go_on(self, behind: SpanContext, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        parent = trace.NonRecordingSpan(behind)
        about: Attributes = {"http.request.method": method}
        under = trace.set_span_in_context(parent)
        span = self._tracer.start_span(method, under, SpanKind.SERVER, about) if self._tracer else parent

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
            await send(message)

        with trace.use_span(span, end_on_exit=True, record_exception=False):
            await self._app(scope, receive, told)
            route = getattr(scope.get("route"), "path", "")
            if route:
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)


def remote(headers: Iterable[tuple[bytes, bytes]]) -> SpanContext | None:
    """The trace that a call says it belongs to; None where it says none, or more than one, or nothing sensible."""
    found = [value for name, value in headers if name.lower() == b"traceparent"]
    if len(found) != 1 or len(found[0]) > _LONGEST:
        return None
    context = _FIELDS.extract({"traceparent": found[0].decode("latin-1")})
    behind = trace.get_current_span(context).get_span_context()
    return behind if behind.is_valid and behind.is_remote else None
