"""The public documents that benchmarks of ingestion read: CFPB regulations in dated versions, and the US Code."""

import os
import random
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("OPSPLANE_BENCH_DATA", ROOT.parent / "shared" / "data"))
MODELS = ROOT / ".data" / "models"
AFTER = date(2023, 1, 1)
"""A day on which the latest version of every regulation is in force."""
_PLACE = re.compile(r"(?<=[a-z]) (?=[a-z]{4,} [a-z]{2,})")


def needed(*folders: str) -> None:
    """Leave, telling why, where one of the folders is not there."""
    for name in folders:
        if not (DATA / name).exists():
            sys.exit(f"skipped: {DATA / name} is not there; OPSPLANE_BENCH_DATA names the folder above it.")


def versions(regulation: str = "reg-e-1005") -> dict[str, Path]:
    """The folders of a regulation's versions, by the day from which each is in force."""
    return {path.name: path for path in sorted((DATA / "cfpb_regs" / regulation).iterdir()) if path.is_dir()}


def every() -> list[Path]:
    """All sections of all versions of all regulations."""
    return sorted((DATA / "cfpb_regs").glob("*/*/*.md"))


def latest() -> list[Path]:
    """All sections of the latest version of each regulation, and of the US Code."""
    folders = [max(path.iterdir()) for path in sorted((DATA / "cfpb_regs").iterdir()) if path.is_dir()]
    return [*(path for one in folders for path in sorted(one.glob("*.md"))), *sorted((DATA / "us_code").glob("*/*.md"))]


def lay(files: Sequence[Path], folder: Path) -> Path:
    """Copy files into a folder that holds nothing else then, under the names that they have below the data."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in files:
        target = folder / path.relative_to(DATA)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def sections(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """The document id and the text, without front matter, of each file."""
    for path in files:
        head, body = path.read_text(encoding="utf-8").split("\n---\n", 1)
        found = re.search(r'^doc_id: "?([^"\n]+)"?$', head, re.MULTILINE)
        yield found.group(1) if found else path.stem, body


def edit(path: Path, draw: random.Random) -> bool:
    """Put a word into a sentence of a file; False where it has no sentence that would take one."""
    head, body = path.read_text(encoding="utf-8").split("\n---\n", 1)
    places = [match.start() for match in _PLACE.finditer(body)]
    if not places:
        return False
    place = draw.choice(places)
    words = draw.choice(("promptly", "in writing", "without charge", "as amended", "electronically"))
    path.write_text(f"{head}\n---\n{body[:place]} {words}{body[place:]}", encoding="utf-8")
    return True
