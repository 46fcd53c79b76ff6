import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from assistant import configuration
from assistant.settings import Settings
from tests.library import ROOT
from tests.vertex.__main__ import PORT, main
from tests.vertex.cloud import PROJECT


@contextmanager
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def free() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


def test_it_serves_until_it_is_told_to_stop(capsys: pytest.CaptureFixture[str]) -> None:
    port, stop, codes = free(), threading.Event(), []
    thread = threading.Thread(target=lambda: codes.append(main(["--port", str(port)], stop)))
    thread.start()
    client = httpx.Client(transport=httpx.HTTPTransport(retries=8))
    assert client.get(f"http://127.0.0.1:{port}/local/faults").json() == []
    client.close()
    stop.set()
    thread.join(10)
    said = capsys.readouterr().out
    assert codes == [0]
    assert f"http://127.0.0.1:{port}; Ctrl-C ends it" in said
    assert "opsplane serve --config local-cloud.yaml" in said


def test_a_port_in_use_is_told_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with taken() as port:
        assert main(["--port", str(port)], threading.Event()) == 1
    assert capsys.readouterr().err == (f"Port {port} is in use; stop what uses it, or take another one with --port.\n")


@pytest.mark.parametrize(
    ("fault", "words"),
    [("lava:gemini", "there is no fault"), ("429:gemini:us:x", "is not of the form"), ("429", "which calls")],
)
def test_a_fault_that_is_none_is_told(fault: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", "--fault", fault], threading.Event()) == 2
    assert words in capsys.readouterr().err


def test_the_configuration_of_the_laptop_fits_the_local_cloud() -> None:
    found = configuration.read(ROOT / "local-cloud.yaml", set(Settings.__dataclass_fields__))
    assert found["google_endpoint"] == f"http://127.0.0.1:{PORT}"
    assert found["google_project"] == PROJECT
    assert (ROOT / found["releases"] / f"{found['release']}.yaml").is_file()
