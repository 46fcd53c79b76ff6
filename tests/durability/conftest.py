"""The shim, the process that workers come from, and a PostgreSQL server to be killed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.durability import harness
from tests.durability.harness import Nursery, Server


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path | str:
    """The shim, or why there is none."""
    try:
        return harness.build(tmp_path_factory.mktemp("shim"))
    except harness.NoCompiler as error:
        return str(error)


@pytest.fixture(scope="session")
def shim(library: Path | str) -> Path:
    """The shim; without it the test is skipped, loudly."""
    if isinstance(library, str):
        pytest.skip(library)
    return library


@pytest.fixture(scope="session")
def nursery(library: Path | str) -> Iterator[Nursery]:
    """Where workers come from."""
    with Nursery(None if isinstance(library, str) else library) as opened:
        yield opened


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server that nobody else uses, outside pytest's folders: each session makes those private again,
    and PostgreSQL, which does not run as root, must come through whenever it is started."""
    with tempfile.TemporaryDirectory(prefix="opsplane-") as folder:
        Path(folder).chmod(0o755)
        running = Server(Path(folder) / "server")
        yield running
        running.close()
