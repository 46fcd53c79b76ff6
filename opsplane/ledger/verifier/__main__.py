"""Verify an export folder: `python verify.py FOLDER [--key VERIFIER_KEY ...] [--anchor FILE]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .bundle import Unreadable, verify_folder
from .notes import NoteError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was checked and what is wrong. Gives 0 for a valid export, 1 for violations, 2 for none to read."""
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description="Verify an exported ledger: files, entries, hash chain, Merkle tree, checkpoints and signatures.",
        epilog="Exit code 0: valid. 1: violations, each with the entry it concerns. 2: it cannot be read.",
    )
    parser.add_argument("folder", type=Path, help="the export")
    parser.add_argument("--key", action="append", default=[], help="a verifier key that you trust; may be repeated")
    parser.add_argument("--anchor", type=Path, help="a file of checkpoints that was kept elsewhere")
    given = parser.parse_args(arguments)
    try:
        result = verify_folder(given.folder, given.key, given.anchor)
    except (Unreadable, OSError, NoteError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except ImportError:
        print("Signatures need the package `cryptography`: pip install cryptography", file=sys.stderr)  # noqa: T201
        return 2
    text = [f"checked   {line}" for line in result.checked]
    text += [f"remark    {_told(one.code, one.row)}: {one.detail}" for one in result.remarks]
    text += [f"VIOLATION {_told(one.code, one.row)}: {one.detail}" for one in result.violations]
    text.append(f"INVALID: {len(result.violations)} violations" if result.violations else "VALID")
    sys.stdout.buffer.write(("\n".join(text) + "\n").encode(errors="backslashreplace"))
    sys.stdout.flush()
    return 1 if result.violations else 0


def _told(code: str, row: int | None) -> str:
    return code if row is None else f"{code}, entry {row}"


if __name__ == "__main__":
    sys.exit(main())
