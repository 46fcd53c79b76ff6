"""The real server in a process of its own, as `opsplane serve` starts it."""

import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

START = 240  # seconds until the first start, which ingests the documents, must be through


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
