"""Fifty people chatting at once with the real server, over its own socket protocol.

    python -m benchmarks.load [--people 50] [--minutes 1] [--think 10]

Each person signs in, opens a chat and asks golden questions one after another, thinking for a random while (uniform
between half and one and a half of --think seconds) in between. Printed are the time from sending to the first
sentence and to the end of the turn, the server's resident memory, and how long it took from start to ready.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any
from uuid import uuid4

import aiohttp
import socketio

from assistant import bootstrap, ingesting
from assistant.panels import table
from assistant.settings import Settings
from opsplane.access import Role
from opsplane.evaluation import dataset

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
PASSWORD = "benchmark"


@dataclass
class Times:
    """Seconds, one each turn."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)


class Person:
    """One chat over one socket."""

    def __init__(self, url: str, name: str, times: Times) -> None:
        self._url, self._name, self._times = url, name, times
        self._socket = socketio.AsyncClient()
        self._first, self._ended = asyncio.Event(), asyncio.Event()
        self._socket.on("stream_start", lambda _: self._first.set())
        self._socket.on("update_message", self._updated)

    async def enter(self) -> None:
        """Sign in and open a chat."""
        form = {"username": self._name, "password": PASSWORD}
        async with aiohttp.ClientSession() as web, web.post(f"{self._url}/login", data=form) as answer:
            answer.raise_for_status()
            cookies = "; ".join(f"{name}={one.value}" for name, one in answer.cookies.items())
        session = {
            "clientType": "webapp",
            "sessionId": str(uuid4()),
            "threadId": "",
            "userEnv": "{}",
            "chatProfile": "",
        }
        await self._socket.connect(
            self._url,
            headers={"Cookie": cookies, "Origin": self._url},
            auth=session,
            socketio_path="/ws/socket.io",
            transports=["websocket"],
        )
        await self._socket.emit("connection_successful")

    async def ask(self, text: str) -> None:
        """One turn, timed."""
        self._first.clear()
        self._ended.clear()
        message = {
            "id": str(uuid4()),
            "type": "user_message",
            "name": self._name,
            "output": text,
            "createdAt": datetime.now(UTC).isoformat(),
            "metadata": {},
            "threadId": "",
        }
        begun = perf_counter()
        await self._socket.emit("client_message", {"message": message, "fileReferences": []})
        await asyncio.wait_for(self._first.wait(), 60)
        self._times.first.append(perf_counter() - begun)
        await asyncio.wait_for(self._ended.wait(), 60)
        self._times.whole.append(perf_counter() - begun)

    async def chat(self, questions: list[str], until: float, think: float, chance: random.Random) -> None:
        """Ask and think until the time is over."""
        await asyncio.sleep(chance.uniform(0, think))
        while perf_counter() < until:
            await self.ask(chance.choice(questions))
            await asyncio.sleep(chance.uniform(0.5, 1.5) * think)
        await self._socket.disconnect()

    async def _updated(self, step: dict[str, Any]) -> None:
        if step.get("name") == "on_message" and step.get("end"):
            self._ended.set()


async def load(url: str, people: int, seconds: float, think: float) -> Times:
    """Everybody signs in first; then all chat."""
    cases = dataset.load(GOLDEN).cases
    questions = [one.question for one in cases if one.expect == "answer" and not one.history]
    times = Times()
    crowd = [Person(url, f"person-{number}", times) for number in range(people)]
    for one in crowd:
        await one.enter()
    until = perf_counter() + seconds
    await asyncio.gather(
        *(one.chat(questions, until, think, random.Random(number)) for number, one in enumerate(crowd))
    )
    return times


def main() -> None:
    """Start a server with people of its own, load it, stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--think", type=float, default=10.0, help="mean seconds between answer and next question")
    chosen = parser.parse_args()
    ingesting.ingest_corpus(Settings(), lambda *_: None)
    with tempfile.TemporaryDirectory() as folder:
        urls = {
            f"OPSPLANE_{name.upper()}_URL": f"sqlite:///{folder}/{name}.db"
            for name in ("record", "keys", "chat", "bank")
        }
        urls["OPSPLANE_ANCHOR"] = f"{folder}/anchor"
        known = bootstrap.people(Settings(chat_url=urls["OPSPLANE_CHAT_URL"]))
        for number in range(chosen.people):
            known.add(f"person-{number}", PASSWORD, Role.CUSTOMER, customer="C-1001")
        begun = perf_counter()
        command = [sys.executable, "-m", "assistant", "serve", "--port", "0"]
        with subprocess.Popen(command, env={**os.environ, **urls}, stderr=subprocess.PIPE, text=True) as server:
            url = _ready(server)
            started = perf_counter() - begun
            times = asyncio.run(load(url, chosen.people, chosen.minutes * 60, chosen.think))
            memory = _resident(server.pid)
            server.terminate()
    print(_report(times, started, memory, chosen.people).replace("\\", ""))


def _ready(server: "subprocess.Popen[str]") -> str:
    for line in server.stderr or ():
        if "Ready: " in line:
            return line.split("Ready: ")[1].strip()
    raise SystemExit("the server did not start")


def _resident(process: int) -> float:
    """Megabytes of resident memory now; Linux only."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def _report(times: Times, started: float, memory: float, people: int) -> str:
    first, whole = quantiles(times.first, n=100), quantiles(times.whole, n=100)
    rows = [
        ("People at once, turns", f"{people}, {len(times.whole)}"),
        ("First sentence, p50 / p99", f"{first[49] * 1000:.0f} / {first[98] * 1000:.0f} ms"),
        ("Whole turn, p50 / p99", f"{whole[49] * 1000:.0f} / {whole[98] * 1000:.0f} ms"),
        ("Server's resident memory at the end", f"{memory:.0f} MB"),
        ("From start to ready, documents ingested before", f"{started:.1f} s"),
    ]
    return table(("Measure", "Result"), rows)


if __name__ == "__main__":
    main()
