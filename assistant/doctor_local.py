"""What the doctor asks of this machine: folders, databases, keys, files, the embedding model, addresses."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection, make_url, text

from assistant import bootstrap, corpus
from assistant.doctor import Doubt, Probe
from assistant.settings import Settings
from knowledge import embedding
from opsplane import pins, registry, spend
from opsplane.errors import InvalidRelease, InvalidRequest
from opsplane.ledger import migrate
from opsplane.ledger.database import connect
from opsplane.ledger.timestamp import Authority
from opsplane.release import Release

Clock = Callable[[], datetime]

SKEW = 5.0
"""Seconds that two clocks may differ by."""
_ROOM = 1 << 30
"""Bytes that should be free."""
_OLDEST = 130_000
"""PostgreSQL 13, as its server_version_num has it."""
_PORTS = {"http": 80, "https": 443, "smtp": 587, "smtps": 465}


def probes(settings: Settings, clock: Clock) -> Iterator[Probe]:
    """What there is to ask here."""
    yield Probe("data folder", partial(_folder, settings.data))
    yield Probe("anchor folder", partial(_folder, settings.anchor_folder))
    for url, names in _databases(settings).items():
        yield Probe(f"database: {', '.join(names)}", partial(_database, url, "record" in names, clock))
    yield Probe("keys", partial(_keys, settings, clock))
    yield Probe("files", partial(_files, settings))
    yield Probe("release", partial(_release, settings, clock))
    yield Probe("accounts", partial(_accounts, settings))
    yield Probe("embedding model", partial(_embeddings, settings))
    yield Probe("index", partial(_index, settings))
    if settings.timestamp_url:
        yield Probe("time stamps", partial(_stamps, settings.timestamp_url))
    for name, url in _addresses(settings):
        yield Probe(name, partial(reach, url))


def _databases(settings: Settings) -> dict[str, list[str]]:
    """Each database once, with what lies in it."""
    found: dict[str, list[str]] = {}
    for name in ("record", "keys", "chat", "bank"):
        found.setdefault(settings.database(name), []).append(name)
    return found


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    for name, url in (
        ("alerts: web hook", settings.alert_url),
        ("alerts: e-mail", settings.alert_email),
        ("OpenTelemetry collector", settings.otlp_endpoint),
    ):
        if url:
            yield name, url


def _folder(folder: Path) -> str:
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise InvalidRequest(f"{folder} cannot be written: give this account the right to, or set OPSPLANE_DATA")
    free = shutil.disk_usage(there).free
    if free < _ROOM:
        raise Doubt(f"{folder} has {free / 2**20:,.0f} MiB left")
    return f"{folder}, {free / 2**30:,.0f} GiB free{'' if there == folder else '; made at the first start'}"


def _database(url: str, record: bool, clock: Clock) -> str:
    made = make_url(url)
    if made.get_backend_name() == "sqlite" and made.database and not Path(made.database).exists():
        return f"SQLite, {made.database} is made at the first start"
    engine = connect(url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                told = f"SQLite {connection.scalar(text('SELECT sqlite_version()'))}"
            else:
                told = _postgresql(connection, clock)
            return f"{told}{_schema(connection) if record else ''}"
    finally:
        engine.dispose()


def _postgresql(connection: Connection, clock: Clock) -> str:
    version = int(connection.scalar(text("SHOW server_version_num")) or 0)
    if version < _OLDEST:
        raise InvalidRequest(f"PostgreSQL {version // 10_000} is too old: 13 or newer is needed")
    if connection.scalar(text("SHOW transaction_read_only")) == "on":
        raise InvalidRequest("PostgreSQL takes no writes here: name the primary in OPSPLANE_RECORD_URL")
    if not connection.scalar(text("SELECT has_schema_privilege(current_schema(), 'CREATE')")):
        raise InvalidRequest("this PostgreSQL account may make no tables: GRANT CREATE ON SCHEMA to it")
    behind = skew(connection.scalar(text("SELECT clock_timestamp()")) or clock(), clock())
    return f"PostgreSQL {version // 10_000}, its clock {behind}"


def skew(theirs: datetime, ours: datetime) -> str:
    """How another clock stands to ours, in words; raise `Doubt` where they are too far apart."""
    seconds = (theirs.astimezone(UTC) - ours.astimezone(UTC)).total_seconds()
    told = f"{abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}"
    if abs(seconds) > SKEW:
        raise Doubt(f"its clock is {told}: set both by NTP, since times on the record are this machine's")
    return told


def _schema(connection: Connection) -> str:
    found = migrate.version(connection)
    if found is None:
        return "; the record's tables are made at the first start"
    if found > migrate.HEAD:
        raise InvalidRequest(f"the record is of a newer version of the product (schema {found}): install that one")
    return "; the record is up to date" if found == migrate.HEAD else f"; schema {found} is upgraded at the next start"


def _keys(settings: Settings, clock: Clock) -> str:
    file = settings.data / "keys" / "record.key"
    if not settings.keys and not file.exists():
        return f"{file} is made at the first start"
    keys = bootstrap.installation_keys(settings, clock)
    for wrapper in keys.wrappers:
        if wrapper.unwrap(wrapper.wrap(b"opsplane doctor", b"doctor"), b"doctor") != b"opsplane doctor":
            raise InvalidRequest(f"OPSPLANE_KEYS: {wrapper.id} does not give back what it was given")
    for signer in keys.signing:
        signer.sign(b"opsplane doctor")
    return f"{len(keys.signing)} sign and {len(keys.wrappers)} wrap"


def _files(settings: Settings) -> str:
    releases = registry.load_all(settings.releases)
    number = f"{len(releases)} release{'s' * (len(releases) != 1)}"
    laid_down = bootstrap.laid_down_in(settings)
    prices = spend.load()
    return f"{number}, {len(laid_down.plans)} plans, policy, budgets, prices of {prices.version}"


def chosen(settings: Settings) -> Release:
    """The configured release; raise `InvalidRelease` where there is none of that name."""
    releases = registry.load_all(settings.releases)
    if settings.release not in releases:
        known = ", ".join(sorted(releases))
        raise InvalidRelease(f"OPSPLANE_RELEASE: there is no release {settings.release!r}; there are {known}")
    return releases[settings.release]


def _release(settings: Settings, clock: Clock) -> str:
    release, prices = chosen(settings), spend.load()
    problems = pins.check(release, clock().astimezone(settings.zone).date())
    refused = [one.sentence for one in problems if one.severity is pins.Severity.REFUSE]
    if refused:
        raise InvalidRelease(f"{release.short}: {' '.join(refused)}")
    unpriced = {one.name for one in (release.models.flash, release.models.pro) if not prices.knows(one.name)}
    doubts = [one.sentence for one in problems] + [f"{name} has no price in opsplane/prices.yaml" for name in unpriced]
    if doubts:
        raise Doubt(f"{release.short}: {' '.join(doubts)}")
    return f"{release.short}: {release.models.flash.name}, {release.models.pro.name}"


def _accounts(settings: Settings) -> str:
    bootstrap.bank_opener(settings)
    return settings.bank


def _embeddings(settings: Settings) -> str:
    settings.data.mkdir(parents=True, exist_ok=True)
    model = embedding.load(settings.data / "models")
    return f"{model.name}, {len(model.encode(['a question'])[0])} dimensions"


def _index(settings: Settings) -> str:
    wanted = chosen(settings).retrieval.index
    folder = corpus.folder(settings)
    if not (folder / "catalogue.db").exists():
        return f"{wanted} is made at the first start, from {settings.corpus.name}"
    if wanted not in corpus.indexes(settings):
        raise InvalidRelease(f"there is no index {wanted!r}, which {settings.release} searches: opsplane index build")
    return wanted


def _stamps(url: str) -> str:
    Authority(url).stamp(b"opsplane doctor")
    return f"{url} stamps"


def reach(url: str) -> str:
    """Whether somebody listens at an address; nothing is sent. Raises `InvalidRequest`."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme, 443)
    except ValueError as error:
        raise InvalidRequest(f"{url!r} is no address: {error}") from error
    if not host:
        raise InvalidRequest(f"{url!r} is no address")
    try:
        with closing(socket.create_connection((host, port), timeout=5)):
            return f"{host}:{port} listens"
    except OSError as error:
        raise InvalidRequest(f"{host}:{port} cannot be reached: {error.strerror or error}") from error
