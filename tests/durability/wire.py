"""A wire between a worker and PostgreSQL that can be cut when it hurts most: after a commit, before its answer."""

import select
import socket
import threading
from pathlib import Path

from sqlalchemy import make_url

COMMITTED = b"COMMIT\0"
"""The server's answer to a commit."""


class Wire:
    """A server's socket in a folder. Each `cut` closes the next connection when its commit of `what` is done."""

    def __init__(self, url: str, folder: Path, what: bytes) -> None:
        server = make_url(url)
        socket_name = f".s.PGSQL.{server.port or 5432}"
        self._real, self._what = f"{server.query['host']}/{socket_name}", what
        self.url = server.update_query_dict({"host": str(folder)}).render_as_string(hide_password=False)
        self.cuts = 0
        self._armed = threading.Event()
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(folder / socket_name))
        self._door.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Lose the next answer."""
        self._armed.set()

    def close(self) -> None:
        """Let nobody in any more."""
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        wrote = False
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._real)
            while True:
                for end in select.select([client, server], [], [])[0]:
                    try:
                        data = end.recv(1 << 16)
                        if not data:
                            return
                        wrote = wrote or (end is client and self._what in data)
                        if end is server and wrote and COMMITTED in data and self._armed.is_set():
                            self._armed.clear()
                            self.cuts += 1
                            return
                        (server if end is client else client).sendall(data)
                    except OSError:  # an end is gone
                        return
