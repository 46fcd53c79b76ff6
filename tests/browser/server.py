"""The real server in a process of its own, as `opsplane serve` starts it."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import library

START = 240  # seconds until the first start, which ingests the documents, must be through
CLOUD = os.environ.get("OPSPLANE_TEST_CONFIG") == "local-cloud"
"""Whether every browser test runs on the production configuration, against the local cloud."""
STABLE = "heron-cloud" if CLOUD else "heron-6"
"""The release that serves customers at first."""
DISCLOSED = "without a language model"
"""Shown under the answers of the embedded model, and of no other."""


@dataclass
class Server:
    """One server over one data folder; can be stopped and started again."""

    data: Path
    environ: dict[str, str] = field(default_factory=dict)
    url: str = ""
    log: list[str] = field(default_factory=list)
    _process: subprocess.Popen[str] | None = None

    def start(self) -> "Server":
        """Start on a free port and wait until it says that it is ready."""
        ready = threading.Event()
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "assistant", "serve", "--data", str(self.data), "--port", port]
        # jobs have tests of their own; here they would only take time from what is looked at
        environ = {**os.environ, "OPSPLANE_DEMO": "1", "OPSPLANE_SCHEDULE": "0", **self.environ}
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ)
        threading.Thread(target=self._listen, args=(self._process, ready), daemon=True).start()
        if not ready.wait(START) or not self.url or self._process.poll() is not None:
            raise RuntimeError("the server did not start:\n" + "\n".join(self.log[-40:]))
        return self

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Stop and wait for the end."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None

    def _listen(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        if process.stderr is None:
            return
        with process.stderr:
            for line in process.stderr:
                self.log.append(line.rstrip())
                if found := re.search(r"Ready: (http://\S+)", line):
                    self.url = found[1]
                    ready.set()
        ready.set()


@contextmanager
def local_cloud(*options: str) -> Iterator[str]:
    """The local cloud in a process of its own, on a free port; its address."""
    command = [sys.executable, "-m", "tests.vertex", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=library.ROOT) as process:
        try:
            found = re.search(r"at (http://\S+);", process.stdout.readline() if process.stdout else "")
            if not found:
                raise RuntimeError("the local cloud did not start")
            yield found[1]
        finally:
            process.terminate()
            process.wait()  # before its output is closed, which it still writes to


def on_cloud(url: str, **settings: str) -> dict[str, str]:
    """The environment of a server with the production configuration, whose cloud is at this address."""
    given = {"config": "local-cloud.yaml", "releases": "deploy/releases", "google_endpoint": url, **settings}
    paths = {name: str(library.ROOT / given[name]) for name in ("config", "releases")}
    return {f"OPSPLANE_{name.upper()}": value for name, value in (given | paths).items()}
