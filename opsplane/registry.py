"""The releases on disk: one YAML file each, read whole or refused whole."""

from functools import partial
from pathlib import Path

from pydantic import ValidationError

from opsplane import pack, yamlfile
from opsplane.errors import InvalidRelease
from opsplane.guardrails import trained
from opsplane.release import Release

PACKS = Path(__file__).parent / "guardrails" / "packs"


def load_all(folder: Path, packs: Path = PACKS) -> dict[str, Release]:
    """Every release in `folder` by id; raise `InvalidRelease` naming every file that cannot be used."""
    releases = yamlfile.read_all(folder, partial(load, packs=packs))
    if not releases:
        raise InvalidRelease(f"{folder}: no release file (*.yaml) is there")
    return releases


def load(path: Path, packs: Path = PACKS) -> Release:
    """One release with its rule packs and exemplars put in; raise `InvalidRelease` with file, line and field."""
    release = yamlfile.read(path, Release)
    guardrails = release.guardrails
    if guardrails.rules or guardrails.scope_exemplars or guardrails.trained:
        raise InvalidRelease(f"{path.name}: guardrails: name packs and exemplars; their contents are read from files")
    filled = guardrails.model_dump() | {
        "rules": [one.model_dump() for one in pack.load_all([_named(name, packs, path) for name in guardrails.packs])],
        "trained": trained.fingerprints(),
        "scope_exemplars": pack.load_exemplars(_named(guardrails.exemplars, packs, path)).model_dump(),
    }
    try:
        return Release.model_validate(release.model_dump() | {"guardrails": filled})
    except ValidationError as error:
        raise InvalidRelease(f"{path.name}: {error.errors()[0]['msg']}") from error


def _named(name: str, packs: Path, release: Path) -> Path:
    path = packs / f"{name}.yaml"
    if path.parent != packs or not path.is_file():
        known = ", ".join(sorted(found.stem for found in packs.glob("*.yaml"))) or "none"
        raise InvalidRelease(f"{release.name}: guardrails: there is no pack {name!r} (there are: {known})")
    return path
