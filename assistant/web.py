"""The web application: Chainlit behind the guard, with our own routes in front of it."""

import asyncio
import gzip
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse
from rich.console import Console

from assistant import citations, guard, handover_chat
from assistant.bootstrap import App
from assistant.dropped import Drops
from assistant.handover_relay import Relay
from assistant.herald import Herald, Tab
from assistant.metrics_page import CONTENT_TYPE, MetricsPage, direct
from assistant.signin import Person, demo_person
from assistant.traceparent import Continued
from opsplane import control
from opsplane.access import Role
from opsplane.errors import Conflict, NotFound, PlaneError, RecordUnavailable, Refused
from opsplane.handover_deeds import PERSON

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_LARGEST_FRAME = 1_000_000  # bytes of one socket message
_READERS = frozenset({Role.REVIEWER})
_STATUS = ((Refused, 403), (NotFound, 404), (RecordUnavailable, 503))


@dataclass(frozen=True)
class Serving:
    """What the chat's handlers stand on; `who` reads a session token and gives the person behind it, or None."""

    app: App
    who: Callable[[str], Person | None]
    herald: Herald
    drops: Drops


SERVING: ContextVar[Serving] = ContextVar("serving")
"""Set while `assistant/app.py` is loaded."""


def serve(app: App, console: Console) -> None:
    """Serve until interrupted or terminated."""
    settings = app.settings
    try:
        listening = socket.create_server((settings.host, settings.port))
    except OSError as error:
        raise Conflict(f"Port {settings.port} on {settings.host} cannot be used: {error.strerror}.") from error
    host, port = listening.getsockname()[:2]
    api = create(app)
    config = uvicorn.Config(
        api,
        log_level=settings.log_level.lower(),
        log_config=None,  # lines go where ours go, in one form
        access_log=False,
        server_header=False,
        ws_max_size=_LARGEST_FRAME,
        timeout_graceful_shutdown=5,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that leaving is recorded after the server has closed
    console.print(f"Ready: {settings.public_url or f'http://{host}:{port}'}", highlight=False)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        console.print("Stopped.")


def create(app: App) -> FastAPI:
    """The application, ready to be served by one process; call once per process, Chainlit keeps global state."""
    os.environ["CHAINLIT_APP_ROOT"] = str(_root(app.settings.data))
    # several instances share one that they are given, so that each knows who signed in at another
    os.environ["CHAINLIT_AUTH_SECRET"] = os.environ.get("OPSPLANE_SESSION_SECRET") or _secret(app.settings.data)
    # Chainlit reads the environment when it is imported, and takes a second that no other command needs.
    from chainlit.data import get_data_layer  # noqa: PLC0415
    from chainlit.server import get_html_template, sio  # noqa: PLC0415
    from chainlit.session import WebsocketSession, ws_sessions_id  # noqa: PLC0415
    from chainlit.utils import mount_chainlit  # noqa: PLC0415

    from assistant import sockets  # noqa: PLC0415

    html, who = guard.page(get_html_template("")), _who(app)

    def connected() -> list[WebsocketSession]:
        return [one for one in ws_sessions_id.values() if sio.manager.is_connected(one.socket_id, "/")]

    def owner(session: str) -> str:
        return next((one.user.identifier for one in connected() if one.id == session and one.user), "")

    herald, drops = Herald(app.parts.ledger, who, connected), Drops(app.parts.ledger, owner)
    relay = _relay(app, who, connected)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        telling = [asyncio.create_task(one.run()) for one in (herald, relay)]
        yield
        for one in telling:
            one.cancel()
        if layer := get_data_layer():
            await layer.close()

    api = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    _add_pages(api, html)
    _add_assets(api, _chainlit("frontend/dist/assets"), Path(os.environ["CHAINLIT_APP_ROOT"]))
    _add_routes(api, app)
    _add_metrics(api, app)
    _add_passages(api, app)
    _add_drops(api, drops)
    with _loading(Serving(app, who, herald, drops)):
        mount_chainlit(api, str(_HERE / "app.py"), path="/")
    sockets.fence(sio, drops)
    api.add_middleware(guard.Guard, who=who, policy=guard.policy(html), origin=_origin(app.settings.public_url))
    api.add_middleware(Continued, tracer=app.observer.tracer if app.observer else None)
    return api


def _add_metrics(api: FastAPI, app: App) -> None:
    """Figures for Prometheus, where the settings want that; a request that a proxy passed on is not met."""
    if not app.settings.metrics:
        return
    page = MetricsPage(app.parts.ledger)

    @api.get("/metrics")
    async def metrics(request: Request) -> Response:
        if not direct(request.headers):
            raise HTTPException(404)
        try:
            return Response(await asyncio.to_thread(page.text), media_type=CONTENT_TYPE)
        except RecordUnavailable as error:
            raise HTTPException(503) from error


def _relay(app: App, who: Callable[[str], Person | None], tabs: Callable[[], Iterable[Tab]]) -> Relay:
    """Tells both sides of a hand-over, and keeps what customers are told in their chat history."""
    # See `create`.
    from chainlit.data import get_data_layer  # noqa: PLC0415

    from assistant.history import History  # noqa: PLC0415

    def keep(step: dict[str, Any]) -> None:
        if isinstance(layer := get_data_layer(), History):
            layer.keep_told(step)

    return Relay(
        ledger=app.parts.ledger,
        board=app.desk.handovers,
        who=who,
        tabs=tabs,
        named=partial(handover_chat.display, app),
        elsewhere=lambda: app.parts.plane.stable().replies[PERSON],
        keep=keep,
    )


def _add_pages(api: FastAPI, html: str) -> None:
    async def index() -> HTMLResponse:
        return HTMLResponse(html)

    for path in ("/", "/login", "/login/callback", "/thread/{identity}"):
        api.add_api_route(path, index, methods=["GET", "HEAD"], response_class=HTMLResponse)


def _add_assets(api: FastAPI, folder: Path, packed: Path) -> None:
    """Chainlit's scripts, compressed once and kept: it would compress four megabytes anew for every visitor."""

    @api.get("/assets/{name}")
    async def asset(name: str, request: Request) -> FileResponse:
        file = folder / name
        if not file.is_file():
            raise HTTPException(404)
        mime = guess_type(name)[0]
        if file.suffix not in (".js", ".css") or "gzip" not in request.headers.get("accept-encoding", ""):
            return FileResponse(file, media_type=mime)
        small = packed / f"{name}.gz"
        if not small.exists():
            await asyncio.to_thread(_pack, file, small)
        return FileResponse(small, media_type=mime, headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})


def _pack(file: Path, small: Path) -> None:
    made = small.with_name(f"{small.name}.{secrets.token_hex(4)}")
    made.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
    made.replace(small)


def _add_routes(api: FastAPI, app: App) -> None:
    @api.get("/healthz")
    async def healthz() -> JSONResponse:
        try:
            await asyncio.to_thread(app.parts.plane.stable)
            generation = await asyncio.to_thread(app.library.generation)
        except Exception:
            log.exception("not ready")
            return JSONResponse({"ready": False}, status_code=503)
        return JSONResponse({"ready": bool(generation)}, status_code=200 if generation else 503)

    @api.get("/demo-people")
    async def demo_people() -> list[dict[str, str]]:
        if not app.settings.demo:
            raise HTTPException(404)
        everybody = (demo_person(one.name) for one in await asyncio.to_thread(app.people.all) if one.active)
        known = sorted((one for one in everybody if one), key=lambda one: (list(Role).index(one.role), one.name))
        return [{"name": one.name, "display": one.display, "role": one.role.value} for one in known]


def _add_passages(api: FastAPI, app: App) -> None:
    @api.get("/passages/{exchange}/{number}")
    async def passage(exchange: str, number: int, request: Request) -> PlainTextResponse:
        person = _signed_in(request)
        found = await asyncio.to_thread(app.parts.ledger.exchange, exchange)
        if found is None or (found.actor.id != person.name and person.role not in _READERS):
            raise HTTPException(404)
        for one in found.evidence:
            if one.number == number:
                return PlainTextResponse(citations.passage(one))
        raise HTTPException(404)


def _add_drops(api: FastAPI, drops: Drops) -> None:
    """Files from operators and approvers alone; nobody else's page offers to attach one."""
    # See `create`.
    from chainlit.server import project_settings  # noqa: PLC0415
    from chainlit.user import User  # noqa: PLC0415

    @api.post("/project/file")
    async def drop(session_id: str, request: Request) -> JSONResponse:
        actor = _signed_in(request).actor
        try:
            return JSONResponse({"id": await drops.receive(session_id, request, actor)})
        except PlaneError as error:
            status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
            return JSONResponse({"detail": str(error)}, status_code=status)

    @api.get("/project/settings")
    async def settings(request: Request) -> JSONResponse:
        person = _signed_in(request)
        told = json.loads((await project_settings(User(identifier=person.name), "en-US", None)).body)
        if person.role not in control.STAFF:
            told["features"]["spontaneous_file_upload"]["enabled"] = False
        return JSONResponse(told)


def _signed_in(request: Request) -> Person:
    person: Person | None = request.state.person
    if person is None:
        raise HTTPException(401)
    return person


def _who(app: App) -> Callable[[str], Person | None]:
    # See `create`.
    from chainlit.auth.jwt import decode_jwt  # noqa: PLC0415

    def who(token: str) -> Person | None:
        try:
            user = decode_jwt(token)
        except (jwt.InvalidTokenError, TypeError):
            return None
        person = app.people.get(user.identifier)
        return person if person and person.session == user.metadata.get("session") else None

    return who


@contextmanager
def _loading(serving: Serving) -> Iterator[None]:
    token = SERVING.set(serving)
    try:
        yield
    finally:
        SERVING.reset(token)


def _origin(public_url: str) -> str:
    """Scheme and host of the public address, as browsers send them."""
    parts = urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _root(data: Path) -> Path:
    """The folder that Chainlit reads and writes, made anew at every start out of our own files."""
    root = data.resolve() / "web"
    shutil.rmtree(root, ignore_errors=True)
    translations = root / ".chainlit" / "translations"
    translations.mkdir(parents=True)
    shutil.copyfile(_HERE / "chainlit.toml", root / ".chainlit" / "config.toml")
    shutil.copytree(_HERE / "public", root / "public")
    about = _HERE.parent / "chainlit.md"
    if about.exists():
        shutil.copyfile(about, root / "chainlit.md")
    english = json.loads(_chainlit("translations/en-US.json").read_text(encoding="utf-8"))
    ours = tomllib.loads((_HERE / "words.toml").read_text(encoding="utf-8"))
    (translations / "en-US.json").write_text(json.dumps(_overlaid(english, ours)), encoding="utf-8")
    return root


def _chainlit(name: str) -> Path:
    """A file of Chainlit's, found without importing it: that would already write a folder."""
    spec = find_spec("chainlit")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("Chainlit is not installed.")
    return Path(spec.origin).parent / name


def _overlaid(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    return below | {
        key: _overlaid(below[key], value) if isinstance(value, dict) else value for key, value in above.items()
    }


def _secret(data: Path) -> str:
    """The key that signs sessions; made once, readable by its owner alone."""
    file = data / "session.key"
    if not file.exists():
        made = data / f"session.{secrets.token_hex(4)}"
        made.touch(mode=0o600)
        made.write_text(secrets.token_hex(32), encoding="ascii")
        made.replace(file)
    return file.read_text(encoding="ascii")
