import json
import subprocess
import sys

import pytest

TRICKS = {
    "connects": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "starts a program": "import subprocess; subprocess.run(['true'])",
    "runs a command": "import os; os.system('true')",
    "forks": "import os; os.fork()",
    "writes": "open('opsplane-written', 'w')",
    "makes a file": "import os; os.open('opsplane-written', os.O_CREAT | os.O_WRONLY)",
    "deletes": "import os; os.remove('opsplane-nothing')",
}


@pytest.mark.parametrize("trick", TRICKS.values(), ids=TRICKS)
def test_reading_a_file_cannot(trick: str) -> None:
    code = f"import sys; from knowledge import sandbox; sys.addaudithook(sandbox._refuse)\n{trick}"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "while reading a file" in told.stderr


def test_questions_are_answered_one_after_another_in_json() -> None:
    questions = b"".join(b'{"kind": "html", "size": %d}\n%s' % (len(page), page) for page in (b"<p>One", b"<p>Two"))
    command = [sys.executable, "-m", "knowledge.sandbox", "2048", "30"]
    told = subprocess.run(command, input=questions, capture_output=True, check=True).stdout
    size, _, rest = told.partition(b"\n")
    assert json.loads(rest[: int(size)])["sections"][0]["text"] == "One"
    assert b'"Two"' in rest[int(size) :]
