"""Keys in Cloud KMS sign and wrap like those of a file, and what goes wrong there is told in the operator's words."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from opsplane.errors import InvalidRequest, RecordUnavailable
from opsplane.ledger import kms
from opsplane.ledger.database import connect
from opsplane.ledger.keyfile import signing_id
from opsplane.ledger.keys import open_keys
from opsplane.ledger.kms import Kms
from opsplane.ledger.vault import Vault
from tests import fakes, kms_server
from tests.kms_server import Fault, KmsServer, crc32c

DATA = b"opsplane/0123\n3\nroot\n"


@pytest.fixture
def server() -> Iterator[KmsServer]:
    with kms_server.serving() as started:
        yield started


@pytest.fixture
def cloud(server: KmsServer) -> Kms:
    return Kms(server.url, seconds=2.0)


def test_the_checksum_of_our_server_is_the_published_one() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_a_secret_is_wrapped_in_cloud_kms_and_comes_back(cloud: Kms) -> None:
    wrapped = cloud.wrapper(kms_server.WRAP).wrap(b"a secret", b"row 1")
    assert b"a secret" not in wrapped
    assert cloud.wrapper(kms_server.WRAP).unwrap(wrapped, b"row 1") == b"a secret"


def test_a_version_that_was_rotated_away_still_opens_what_it_wrapped(cloud: Kms, server: KmsServer) -> None:
    wrapper = cloud.wrapper(kms_server.WRAP)
    before = wrapper.wrap(b"a secret", b"")
    server.rotate(kms_server.WRAP)
    assert wrapper.unwrap(before, b"") == wrapper.unwrap(wrapper.wrap(b"a secret", b""), b"") == b"a secret"


@pytest.mark.parametrize(("name", "aad"), [(kms_server.OTHER_WRAP, b"row 1"), (kms_server.WRAP, b"row 2")])
def test_another_key_or_another_row_opens_nothing_and_the_key_is_named(cloud: Kms, name: str, aad: bytes) -> None:
    wrapped = cloud.wrapper(kms_server.WRAP).wrap(b"a secret", b"row 1")
    with pytest.raises(RecordUnavailable, match=f"{name} refuses"):
        cloud.wrapper(name).unwrap(wrapped, aad)


def test_data_is_signed_in_cloud_kms_and_the_public_key_is_asked_for_once(cloud: Kms, server: KmsServer) -> None:
    key = cloud.signing_key(kms_server.SIGN)
    Ed25519PublicKey.from_public_bytes(key.public).verify(key.sign(DATA), DATA)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(key.public).verify(key.sign(DATA), DATA + b"!")
    assert server.asked == ["/publicKey", ":asymmetricSign", ":asymmetricSign"]


def test_a_key_of_another_algorithm_cannot_sign(cloud: Kms) -> None:
    with pytest.raises(RecordUnavailable, match="must be of the algorithm EC_SIGN_ED25519"):
        _ = cloud.signing_key(kms_server.WRONG_ALGORITHM).public


def test_a_server_on_this_machine_gets_no_credentials(cloud: Kms, server: KmsServer) -> None:
    cloud.wrapper(kms_server.WRAP).wrap(b"a secret", b"")
    assert server.asked == [":encrypt"]
    assert server.credentials == []


@pytest.mark.parametrize("endpoint", ["http://kms.bank.example", "http://127.0.0.1.bank.example:80"])
def test_elsewhere_plain_http_is_refused(endpoint: str) -> None:
    with pytest.raises(InvalidRequest, match="only asked over https"):
        Kms(endpoint)


@pytest.mark.parametrize("fault", [Fault.GARBLED, Fault.UNCHECKED, Fault.UNAVAILABLE])
def test_an_answer_that_fails_once_is_asked_for_again(cloud: Kms, server: KmsServer, fault: Fault) -> None:
    server.faults = [fault]
    wrapped = cloud.wrapper(kms_server.WRAP).wrap(b"a secret", b"")
    server.faults = [Fault.GARBLED]
    assert cloud.wrapper(kms_server.WRAP).unwrap(wrapped, b"") == b"a secret"
    assert server.asked == [":encrypt", ":encrypt", ":decrypt", ":decrypt"]


@pytest.mark.parametrize("fault", [Fault.GARBLED, Fault.UNCHECKED])
def test_answers_that_stay_damaged_are_not_used(cloud: Kms, server: KmsServer, fault: Fault) -> None:
    server.always = fault
    with pytest.raises(RecordUnavailable, match=f"about {kms_server.WRAP} arrive damaged"):
        cloud.wrapper(kms_server.WRAP).wrap(b"a secret", b"")
    assert len(server.asked) == 3


def test_a_signature_whose_checksum_was_not_looked_at_is_not_used(cloud: Kms, server: KmsServer) -> None:
    key = cloud.signing_key(kms_server.SIGN)
    assert len(key.public) == 32
    server.always = Fault.UNCHECKED
    with pytest.raises(RecordUnavailable, match="arrive damaged"):
        key.sign(DATA)


def test_a_missing_permission_is_named_with_what_to_grant(cloud: Kms, server: KmsServer) -> None:
    server.always = Fault.DENIED
    with pytest.raises(RecordUnavailable, match=r"may not be used by this service account: grant it Cloud KMS"):
        cloud.signing_key(kms_server.SIGN).sign(DATA)
    assert len(server.asked) == 1


def test_a_key_that_does_not_exist_is_named(cloud: Kms) -> None:
    with pytest.raises(RecordUnavailable, match="cryptoKeys/none does not exist"):
        cloud.wrapper(f"{kms_server.RING}/cryptoKeys/none").wrap(b"a secret", b"")


def test_a_key_that_is_disabled_is_named(cloud: Kms) -> None:
    with pytest.raises(RecordUnavailable, match=r"disabled/cryptoKeyVersions/1 refuses: the key is disabled"):
        cloud.signing_key(kms_server.DISABLED).sign(DATA)


def test_a_service_that_stays_away_is_given_up_in_time(server: KmsServer) -> None:
    server.always = Fault.UNAVAILABLE
    with pytest.raises(RecordUnavailable, match=r"does not answer about .*: The service is currently unavailable"):
        Kms(server.url, seconds=0.5).wrapper(kms_server.WRAP).wrap(b"a secret", b"")
    assert len(server.asked) > 1


def test_a_service_that_is_not_there_is_given_up_in_time() -> None:
    with kms_server.serving() as stopped:
        url = stopped.url
    with pytest.raises(RecordUnavailable, match="Cloud KMS does not answer"):
        Kms(url, seconds=0.5).wrapper(kms_server.WRAP).wrap(b"a secret", b"")


def test_a_setting_names_keys_that_wrap_and_versions_that_sign(server: KmsServer, tmp_path: Path) -> None:
    setting = f"kms:{kms_server.WRAP};{kms_server.SIGN_2};{kms_server.SIGN}"
    keys = open_keys(setting, tmp_path, fakes.NOON, endpoint=server.url)
    assert [wrapper.id for wrapper in keys.wrappers] == [f"kms:{kms_server.WRAP}"]
    expected = [server.signing[name].public_key() for name in (kms_server.SIGN_2, kms_server.SIGN)]
    assert [Ed25519PublicKey.from_public_bytes(one.public) for one in keys.signers("opsplane/0")] == expected
    assert not list(tmp_path.iterdir())


def test_keys_that_the_record_names_must_be_among_those_of_cloud_kms(server: KmsServer, tmp_path: Path) -> None:
    setting = f"kms:{kms_server.WRAP};{kms_server.SIGN}"
    signing = signing_id(open_keys(setting, tmp_path, fakes.NOON, endpoint=server.url).signing[0].public)
    assert open_keys(setting, tmp_path, fakes.NOON, [f"kms:{kms_server.WRAP}", signing], server.url)
    with pytest.raises(RecordUnavailable, match="file:00 is not among them"):
        open_keys(setting, tmp_path, fakes.NOON, ["file:00"], server.url)


def test_nothing_of_googles_is_loaded_before_it_is_needed(tmp_path: Path) -> None:
    program = "import sys, opsplane.ledger.keys as k; k.Kms().wrapper('x'); print('google.api_core' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("name", "key", "version"),
    [
        (kms_server.WRAP, True, False),
        (kms_server.SIGN, False, True),
        (f"{kms_server.WRAP}:encrypt?x=/", False, False),
        ("keys/record.key", False, False),
    ],
)
def test_names_tell_keys_from_versions(name: str, key: bool, version: bool) -> None:
    assert (kms.is_key(name), kms.is_version(name)) == (key, version)


def test_customers_keys_are_wrapped_by_cloud_kms(server: KmsServer, cloud: Kms, tmp_path: Path) -> None:
    def clock() -> datetime:
        return fakes.NOON

    engine = connect(f"sqlite:///{tmp_path / 'vault.db'}")
    wanted = [(f"C-{number}", "2026-11") for number in range(20)]
    made = Vault(engine, [cloud.wrapper(kms_server.WRAP)], clock).keys_for(wanted)
    assert Vault(engine, [cloud.wrapper(kms_server.WRAP)], clock).keys_for(wanted) == made
    moved = Vault(engine, [cloud.wrapper(kms_server.OTHER_WRAP), cloud.wrapper(kms_server.WRAP)], clock)
    assert moved.rewrap() == 20
    assert Vault(engine, [cloud.wrapper(kms_server.OTHER_WRAP)], clock).keys_for(wanted) == made
    engine.dispose()
