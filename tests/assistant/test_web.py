"""What is made before the server starts: the folder that Chainlit reads, and the key of sessions."""

import json
import tomllib
from pathlib import Path

import pytest

from assistant import web


def test_chainlit_reads_a_folder_made_of_our_own_files(tmp_path: Path) -> None:
    root = web._root(tmp_path)
    assert tomllib.loads((root / ".chainlit" / "config.toml").read_text())["UI"]["custom_css"] == "/public/style.css"
    assert (root / "public" / "theme.json").is_file()
    assert "AI assistant" in (root / "chainlit.md").read_text()
    words = json.loads((root / ".chainlit" / "translations" / "en-US.json").read_text())
    assert words["auth"]["login"]["form"]["email"]["label"] == "Sign-in name"
    assert words["common"]["actions"]["cancel"] == "Cancel"


def test_what_a_former_run_left_is_gone_after_a_start(tmp_path: Path) -> None:
    left = web._root(tmp_path) / ".files" / "passage"
    left.mkdir(parents=True)
    web._root(tmp_path)
    assert not left.exists()


def test_the_session_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = web._secret(tmp_path)
    assert len(key) == 64
    assert web._secret(tmp_path) == key
    assert (tmp_path / "session.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("url", "origin"), [("", ""), ("https://bank.example/chat", "https://bank.example"), ("nonsense", "")]
)
def test_the_public_address_gives_the_origin(url: str, origin: str) -> None:
    assert web._origin(url) == origin
