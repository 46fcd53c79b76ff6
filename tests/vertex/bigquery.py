"""BigQuery on this machine: SQL and tables by the bqemulator package, the Storage Write API by `bigquery_streams`.

It runs in a process of its own (`python -m tests.vertex.bigquery`), which ends with the one that started it. Tests and
benchmarks use `local()`; its faults are told over the wire, as everything else is.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from tests.vertex.cloud import PROJECT

ROOT = Path(__file__).parents[2]
TABLE = re.compile(r"/bigquery/v2/projects/(?P<project>[^/]+)/datasets/(?P<dataset>[^/]+)/tables/(?P<table>[^/]+)")
_MOST_CALLS = 10_000
_BUFFERED = "UPDATE or DELETE statement over table t would affect rows in the streaming buffer, which is not supported"


@dataclass(frozen=True)
class Local:
    """The addresses of a running server, and what can be asked of it beside BigQuery's own methods."""

    url: str
    write: str
    pid: int
    numbers: Iterator[int] = field(default_factory=count, compare=False)

    def dataset(self) -> str:
        """A new, empty dataset; its name."""
        name = f"audit_{next(self.numbers)}"
        reference = {"datasetReference": {"projectId": PROJECT, "datasetId": name}, "location": "EU"}
        self._ask("POST", f"/bigquery/v2/projects/{PROJECT}/datasets", reference)
        return name

    def fault(self, kind: str, **how: object) -> None:
        """From now on; see `bigquery_streams.Fault`. Over REST there are `http`, `hangs sql` and `buffered`."""
        self._ask("POST", "/local/faults", {"kind": kind, **how})

    def well(self) -> None:
        """No faults any more."""
        self._ask("DELETE", "/local/faults")

    def unused(self) -> int:
        """How many faults have not happened yet."""
        return int(self._ask("GET", "/local/faults")["unused"])

    def calls(self, path: str) -> list[Any]:
        """The bodies of the calls over REST whose path ends so."""
        found = self._ask("GET", "/local/calls")["calls"]
        return [one["body"] for one in found if one["path"].endswith(path)]

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        answer = httpx.request(method, self.url + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def local() -> Iterator[Local]:
    """A server of one's own, until it is left."""
    command = [sys.executable, "-m", "tests.vertex.bigquery"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    yield Local(**json.loads(line), pid=process.pid)
                    return
            raise RuntimeError(f"the server ended with {process.wait()}; see python -m tests.vertex.bigquery")
        finally:
            process.kill()


class Front:
    """Before the emulator's REST interface: notes calls, fails on demand, and does what the emulator leaves out."""

    def __init__(self, app: Any, engine: Any, faults: Any) -> None:
        self._app, self._engine, self._faults = app, engine, faults
        self.calls: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, path, method = await _body(receive), scope["path"], scope["method"]
        if path.startswith("/local/"):
            await _answer(send, 200, self._local(method, path, body))
            return
        self.calls = [*self.calls[-_MOST_CALLS:], {"method": method, "path": path, "body": body}]
        if self._faults.take(("hangs sql",), path):
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if refusal := self._refusal(path, body):
            await _answer(send, *refusal)
            return
        if method in ("PUT", "PATCH") and (found := TABLE.fullmatch(path)) and body.get("schema"):
            self._widen(found.groupdict(), body["schema"]["fields"])
        raw = json.dumps(body).encode() if body is not None else b""
        await self._app(_with_length(scope, len(raw)), _once(raw), send)

    def _local(self, method: str, path: str, body: Any) -> Any:
        # What only the server's own process has is imported there.
        from tests.vertex.bigquery_streams import Fault  # noqa: PLC0415

        if path == "/local/calls":
            return {"calls": self.calls}
        if method == "POST":
            self._faults.rules.append(Fault(**body))
        if method == "DELETE":
            self._faults.rules.clear()
        return {"unused": sum(one.times for one in self._faults.rules)}

    def _refusal(self, path: str, body: Any) -> tuple[int, Any] | None:
        fault = self._faults.take(("http",), path)
        if fault:
            return fault.status, _error(fault.status, fault.message)
        query = _query(body)
        if not re.match(r"\s*(UPDATE|DELETE|MERGE)\b", query.get("query", ""), re.IGNORECASE):
            return None
        given = {one["name"]: one["parameterValue"].get("value") for one in query.get("queryParameters", ())}
        held = next((one for one in self._faults.rules if one.kind == "buffered" and one.times), None)
        if held and str(given.get("before", "9999")).replace(" ", "T") > held.since:
            return 400, _error(400, _BUFFERED, "invalidQuery")
        return None

    def _widen(self, table: dict[str, str], fields: list[dict[str, str]]) -> None:
        """The emulator changes its catalogue alone: the columns are added here."""
        from bqemulator.storage.sql_identifiers import quoted_table_ref  # noqa: PLC0415 - in the server's process only
        from bqemulator.storage.type_map import bq_schema_to_duckdb_columns  # noqa: PLC0415

        where = quoted_table_ref(table["project"], table["dataset"], table["table"])
        cursor = self._engine.connection.cursor()
        for name, kind in bq_schema_to_duckdb_columns(fields):
            cursor.execute(f'ALTER TABLE {where} ADD COLUMN IF NOT EXISTS "{name}" {kind}')
        cursor.close()


def _query(body: Any) -> dict[str, Any]:
    """The query in a body of jobs.insert or jobs.query."""
    if not isinstance(body, dict):
        return {}
    found = body.get("configuration", {}).get("query", body)
    return found if isinstance(found, dict) else {}


def _error(code: int, message: str, reason: str = "accessDenied") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "errors": [{"message": message, "reason": reason}]}}


async def _body(receive: Any) -> Any:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    raw = b"".join(parts)
    return json.loads(raw) if raw else None


def _once(raw: bytes) -> Any:
    sent = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if sent.is_set():
            await asyncio.Event().wait()
        sent.set()
        return {"type": "http.request", "body": raw, "more_body": False}

    return receive


def _with_length(scope: dict[str, Any], length: int) -> dict[str, Any]:
    rest = [one for one in scope["headers"] if one[0] not in (b"content-length", b"content-encoding")]
    return {**scope, "headers": [*rest, (b"content-length", str(length).encode())]}


async def _answer(send: Any, status: int, value: Any) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


async def _serve(port: int, write_port: int) -> None:
    # Imported in the server's own process alone: the package warns a lot, and takes its time.
    from bqemulator.config import LogLevel, Settings  # noqa: PLC0415
    from bqemulator.server import EmulatorServer  # noqa: PLC0415

    from tests.vertex.bigquery_streams import Faults, WriteService, serve  # noqa: PLC0415

    settings = Settings(
        rest_port=port,
        grpc_port=0,
        default_project_id=PROJECT,
        enable_format_extensions=False,
        query_cache_ttl_seconds=0,
        log_level=LogLevel.ERROR,
    )
    emulator: Any = EmulatorServer(settings)
    emulator._engine._load_spatial = lambda: None  # it would be downloaded
    await emulator.start()
    faults = Faults()
    config = emulator._fastapi_server.config
    config.loaded_app = Front(config.loaded_app, emulator._engine, faults)
    service = WriteService(emulator._context.catalog, emulator._engine.connection.cursor, faults)
    server, bound = serve(service, write_port)
    sys.stdout.write(json.dumps({"url": emulator.rest_url, "write": f"127.0.0.1:{bound}"}) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.stop(None)
    await emulator.stop()


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--write-port", type=int, default=0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    asyncio.run(_serve(given.port, given.write_port))


if __name__ == "__main__":
    main()
