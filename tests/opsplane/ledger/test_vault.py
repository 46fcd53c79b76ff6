"""Customers' keys are made once, found by every process, and are nowhere to be found once they are destroyed."""

import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select, update

from opsplane.errors import InvalidRequest, RecordUnavailable
from opsplane.ledger import vault as module
from opsplane.ledger.database import connect
from opsplane.ledger.keyfile import FileWrapper
from opsplane.ledger.seal import micros
from opsplane.ledger.vault import Unauthentic, Vault, seal, unseal, wrappers_of
from opsplane.ledger.vault_table import VAULT_KEY
from tests import fakes

WRAPPER = FileWrapper(fakes.NOON, b"w" * 32)
NEXT_WRAPPER = FileWrapper(fakes.NOON, b"n" * 32)
JANE, JOHN = ("C-jane", "2026-11"), ("C-john", "2026-11")


@pytest.fixture
def engine(record_url: str) -> Iterator[Engine]:
    opened = connect(record_url)
    yield opened
    opened.dispose()


@pytest.fixture
def vault(engine: Engine, clock: fakes.Clock) -> Vault:
    return Vault(engine, [WRAPPER], clock)


def another(vault: Vault, *wrappers: FileWrapper) -> Vault:
    """The same vault as another process sees it."""
    return Vault(vault._engine, wrappers or [WRAPPER], fakes.Clock())


def wrapped(engine: Engine) -> list[bytes]:
    with engine.connect() as connection:
        return list(connection.scalars(select(VAULT_KEY.c.wrapped).where(VAULT_KEY.c.wrapped.is_not(None))))


def statements(engine: Engine) -> list[str]:
    heard: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: heard.append(given[2]))
    return heard


def test_a_key_is_made_once_and_found_by_other_processes(vault: Vault) -> None:
    made = vault.keys_for([JANE, JOHN])
    assert len({key.secret for key in made.values()}) == len({key.id for key in made.values()}) == 2
    assert vault.keys_for([JANE, JOHN]) == another(vault).keys_for({JANE, JOHN}) == made
    assert all(len(key.secret) == 32 and len(key.id) == 16 for key in made.values())


def test_each_month_has_a_key_of_its_own(vault: Vault) -> None:
    made = vault.keys_for([("C-jane", "2026-11"), ("C-jane", "2026-12")])
    assert len({key.secret for key in made.values()}) == 2


def test_known_and_new_keys_come_together(vault: Vault) -> None:
    jane = vault.keys_for([JANE])[JANE]
    both = another(vault).keys_for([JANE, JOHN])
    assert both[JANE] == jane
    assert set(both) == {JANE, JOHN}


def test_asking_for_nothing_gives_nothing(vault: Vault) -> None:
    assert vault.keys_for([]) == {}
    assert vault.secrets_of([]) == {}


def test_more_keys_than_a_statement_holds_are_made_and_found(vault: Vault) -> None:
    wanted = [(f"C-{number:05}", "2026-11") for number in range(1203)]
    made = vault.keys_for(wanted)
    assert len(made) == 1203
    assert another(vault).keys_for(wanted) == made
    assert another(vault).secrets_of([key.id for key in made.values()]) == {k.id: k.secret for k in made.values()}


def test_known_keys_cost_one_question(vault: Vault, engine: Engine) -> None:
    ids = [key.id for key in vault.keys_for([JANE, JOHN]).values()]
    heard = statements(engine)
    vault.keys_for([JANE, JOHN])
    assert len(heard) == 1
    vault.secrets_of(ids)
    assert len(heard) == 2


def test_secrets_are_found_by_the_keys_ids(vault: Vault) -> None:
    jane = vault.keys_for([JANE])[JANE]
    for one in (vault, another(vault)):
        assert one.secrets_of([jane.id, "never-was", ""]) == {jane.id: jane.secret}


def test_an_id_that_never_was_is_told_from_one_that_was_destroyed(vault: Vault) -> None:
    jane = vault.keys_for([JANE])[JANE]
    vault.destroy("C-jane")
    assert vault.unknown([jane.id, "never-was"]) == {"never-was"}


def test_the_secret_of_the_installation_stays_the_same(vault: Vault) -> None:
    assert vault.secret("search") == another(vault).secret("search")
    assert vault.secret("search") != vault.secret("other")
    assert len(vault.secret("search")) == 32


def test_secrets_are_not_shown_where_a_key_is_printed(vault: Vault) -> None:
    key = vault.keys_for([JANE])[JANE]
    assert repr(key.secret) not in repr(key)


def test_nothing_in_the_database_is_a_secret_in_the_open(vault: Vault, engine: Engine) -> None:
    secret = vault.keys_for([JANE])[JANE].secret
    (box,) = wrapped(engine)
    assert secret not in bytes(box)


def test_a_customers_keys_are_destroyed_in_every_process(vault: Vault) -> None:
    other = another(vault)
    made = vault.keys_for([JANE, JOHN])
    assert other.keys_for([JANE, JOHN]) == made
    assert vault.destroy("C-jane") == [made[JANE].id]
    for one in (vault, other, another(vault)):
        assert one.secrets_of([made[JANE].id, made[JOHN].id]) == {made[JOHN].id: made[JOHN].secret}
    assert vault.destroy("C-jane") == []


def test_after_a_destruction_the_customer_gets_a_new_key(vault: Vault) -> None:
    other = another(vault)
    before = other.keys_for([JANE, JOHN])
    vault.destroy("C-jane")
    after = other.keys_for([JANE, JOHN])
    assert after[JOHN] == before[JOHN]
    assert after[JANE] != before[JANE]
    assert vault.keys_for([JANE, JOHN]) == after


def test_a_destroyed_secret_leaves_the_memory_of_other_processes(vault: Vault) -> None:
    other = another(vault)
    other.keys_for([JANE, JOHN])
    vault.destroy("C-jane")
    other.secrets_of([])
    assert list(other._memory._owned) == [JOHN]
    assert len(other._memory._keys) == len(other._memory._owners) == 1


def test_months_before_a_period_are_destroyed_alone(vault: Vault) -> None:
    months = [("C-jane", month) for month in ("2025-12", "2026-01", "2026-02")]
    made = vault.keys_for([*months, ("C-john", "2025-12")])
    assert vault.destroy("C-jane", before_period="2026-02") == sorted(made[month].id for month in months[:2])
    assert set(vault.secrets_of([key.id for key in made.values()])) == {
        made["C-jane", "2026-02"].id,
        made["C-john", "2025-12"].id,
    }


def test_keys_of_nobody_are_not_destroyed(vault: Vault) -> None:
    secret = vault.secret("search")
    with pytest.raises(InvalidRequest):
        vault.destroy("")
    assert another(vault).secret("search") == secret


def test_a_customers_keys_are_listed_with_what_became_of_them(vault: Vault, clock: fakes.Clock) -> None:
    made = vault.keys_for([("C-jane", "2026-10"), JANE])
    clock.at += timedelta(days=1)
    vault.destroy("C-jane", before_period="2026-11")
    listed = [(one.id, one.period, one.made, one.destroyed) for one in vault.keys_of("C-jane")]
    assert listed == [
        (made["C-jane", "2026-10"].id, "2026-10", micros(fakes.NOON), micros(clock.at)),
        (made[JANE].id, "2026-11", micros(fakes.NOON), None),
    ]


def test_customers_with_keys_of_early_months_are_found(vault: Vault) -> None:
    vault.secret("1st")
    vault.keys_for([("C-b", "2019-11"), ("C-b", "2019-12"), ("C-a", "2019-12"), ("C-c", "2020-01"), ("C-d", "2018-01")])
    vault.destroy("C-d")
    assert vault.customers_before("2020-01") == ["C-a", "C-b"]


def test_keys_are_wrapped_anew_after_a_rotation(vault: Vault) -> None:
    made = vault.keys_for([(f"C-{number:04}", "2026-11") for number in range(1100)])
    vault.destroy("C-0000")
    rotated = another(vault, NEXT_WRAPPER, WRAPPER)
    heard: list[tuple[int, int]] = []
    assert rotated.rewrap(lambda done, total: heard.append((done, total))) == 1099
    assert heard == [(500, 1099), (1000, 1099), (1099, 1099)]
    assert rotated.rewrap() == 0
    ids = {key.id: key.secret for owner, key in made.items() if owner[0] != "C-0000"}
    assert another(vault, NEXT_WRAPPER).secrets_of([key.id for key in made.values()]) == ids


def test_a_rotation_is_noticed_while_the_assistant_runs(vault: Vault, engine: Engine) -> None:
    made = vault.keys_for([JANE, JOHN])
    running = Vault(engine, [WRAPPER], fakes.Clock(), reload=lambda: [NEXT_WRAPPER, WRAPPER])
    another(vault, NEXT_WRAPPER, WRAPPER).rewrap()
    assert running.keys_for([JANE, JOHN]) == made
    running.keys_for([("C-new", "2026-11")])
    assert wrappers_of(engine) == {NEXT_WRAPPER.id}


def test_the_keys_that_a_vault_needs_can_be_asked_for_before_it_is_opened(engine: Engine) -> None:
    assert wrappers_of(engine) == set()
    Vault(engine, [WRAPPER], fakes.Clock()).keys_for([JANE])
    assert wrappers_of(engine) == {WRAPPER.id}


def test_a_missing_wrapping_key_is_named_and_nothing_taken_for_destroyed(vault: Vault) -> None:
    jane = vault.keys_for([JANE])[JANE]
    stranger = another(vault, NEXT_WRAPPER)
    for ask in (lambda: stranger.keys_for([JANE]), lambda: stranger.secrets_of([jane.id]), stranger.rewrap):
        with pytest.raises(RecordUnavailable, match=f"wrapped by {WRAPPER.id}, which is not among"):
            ask()
    assert another(vault).keys_for([JANE])[JANE] == jane


def test_a_wrapped_key_moved_to_another_customer_does_not_open(vault: Vault, engine: Engine) -> None:
    vault.keys_for([JANE, JOHN])
    with engine.begin() as connection:
        jane = connection.scalar(select(VAULT_KEY.c.wrapped).where(VAULT_KEY.c.customer == "C-jane"))
        connection.execute(update(VAULT_KEY).where(VAULT_KEY.c.customer == "C-john").values(wrapped=jane))
    with pytest.raises(RecordUnavailable, match=f"{WRAPPER.id} does not open"):
        another(vault).keys_for([JOHN])


def test_processes_that_race_for_the_same_keys_end_with_the_same(vault: Vault, record_url: str) -> None:
    program = (
        "import json, sys; from datetime import UTC, datetime; from opsplane.ledger.database import connect;"
        "from opsplane.ledger.keyfile import FileWrapper; from opsplane.ledger.vault import Vault;"
        "wrapper = FileWrapper(datetime.now(UTC), b'w' * 32);"
        "opened = Vault(connect(sys.argv[1]), [wrapper], lambda: datetime.now(UTC));"
        "wanted = [(f'C-{number}', '2026-11') for number in range(int(sys.argv[2]))];"
        "print('ready', flush=True); sys.stdin.readline();"
        "made = {} ; [made.update(opened.keys_for(wanted[at::7])) for at in range(7)];"
        "print(json.dumps({owner[0]: [key.id, key.secret.hex()] for owner, key in sorted(made.items())}))"
    )
    command = [sys.executable, "-c", program, record_url, "210"]
    racing = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for one in racing:
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
    for one in racing:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [json.loads(one.communicate()[0]) for one in racing]
    assert told[0] == told[1] == told[2]
    assert len(told[0]) == 210


def test_threads_that_destroy_and_ask_never_meet_a_key_of_the_past(vault: Vault) -> None:
    stop, wrong = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            key = vault.keys_for([JANE])[JANE]
            if vault.secrets_of([key.id]).get(key.id, key.secret) != key.secret:
                wrong.append(key)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        gone = vault.destroy("C-jane")
        assert vault.secrets_of(gone) == {}
        assert vault.keys_for([JANE])[JANE].id not in gone
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_memory_is_bounded_and_forgets_what_was_not_used() -> None:
    key = {(f"C-{number}", "2026-11"): module.Key(f"{number}", b"s") for number in range(3)}
    memory = module._Memory(0)
    for owner, one in key.items():
        memory.keep({owner: one}, 0)
    memory.known(["0"])
    memory.keep({(f"more-{n}", ""): module.Key(f"more-{n}", b"") for n in range(module.REMEMBERED - 2)}, 0)
    assert memory.known(["0", "1", "2"]).keys() == {"0", "2"}
    assert len(memory._keys) == len(memory._owned) == len(memory._owners) == module.REMEMBERED


def test_keys_read_before_a_destruction_are_not_remembered_after_it() -> None:
    memory = module._Memory(0)
    memory.forget([("gone", 1)])
    memory.keep({JANE: module.Key("gone", b"s")}, 0)
    assert memory.owned_by([JANE]) == {}


def test_a_vault_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "vault.db").write_bytes(b"this is no database, " * 100)
    for path in (tmp_path / "vault.db", tmp_path / "missing" / "vault.db"):
        engine = connect(f"sqlite:///{path}")
        with pytest.raises(RecordUnavailable, match="The vault cannot be opened"):
            Vault(engine, [WRAPPER], fakes.Clock())
        engine.dispose()


def test_a_vault_that_does_not_answer_is_told(vault: Vault, engine: Engine) -> None:
    with engine.begin() as connection:
        VAULT_KEY.drop(connection)
    for ask in (lambda: vault.keys_for([JANE]), lambda: vault.secrets_of(["a"]), lambda: vault.destroy("C-jane")):
        with pytest.raises(RecordUnavailable, match="The vault cannot be"):
            ask()


def test_what_is_sealed_is_unsealed_with_the_same_key_and_row_alone() -> None:
    secret = secrets.token_bytes(32)
    sealed = seal(secret, b"row 1", b"words")
    assert unseal(secret, b"row 1", sealed) == b"words"
    assert seal(secret, b"row 1", b"words") != sealed
    flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, aad, box in (
        (secrets.token_bytes(32), b"row 1", sealed),
        (secret, b"row 2", sealed),
        (secret, b"row 1", flipped),
        (secret, b"row 1", sealed[:11]),
        (secret, b"row 1", b""),
        (b"short", b"row 1", sealed),
    ):
        with pytest.raises(Unauthentic, match="does not authenticate"):
            unseal(key, aad, box)
