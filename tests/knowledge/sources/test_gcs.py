from collections.abc import Iterator

import pytest
from google.cloud.storage.retry import DEFAULT_RETRY

from knowledge.sources.gcs import Gcs
from knowledge.sources.source import Item, SourceMissing
from tests import gcs_server
from tests.gcs_server import Fault, GcsServer

ENDINGS = (".md", ".html")


@pytest.fixture
def server() -> Iterator[GcsServer]:
    with gcs_server.serving() as state:
        for name in ("fees/2026.md", "fees/cards/debit.MD", "fees/logo.png", "fees-old/2025.md", "terms.md"):
            state.put("bank-docs", name, f"# {name}\n".encode())
        yield state


def bucket(server: GcsServer, spec: str) -> Gcs:
    hasty = DEFAULT_RETRY.with_delay(initial=0.001, maximum=0.002).with_timeout(0.5)
    return Gcs(spec, server.url, hasty)


def names(server: GcsServer, spec: str) -> list[str]:
    return [item.name for item in bucket(server, spec).items(ENDINGS).items]


def missing(source: Gcs) -> str:
    with pytest.raises(SourceMissing) as caught:
        source.items(ENDINGS)
    return str(caught.value)


def unread(item: Item) -> str:
    with pytest.raises(OSError, match=r"\w") as caught:
        item.read()
    return str(caught.value)


def test_a_bucket_gives_its_objects_of_known_types(server: GcsServer) -> None:
    listing = bucket(server, "gs://bank-docs").items(ENDINGS)
    assert [item.name for item in listing.items] == [
        "fees-old/2025.md",
        "fees/2026.md",
        "fees/cards/debit.MD",
        "terms.md",
    ]
    item = listing.items[1]
    assert (item.origin, item.size, item.read()) == ("gs://bank-docs/fees/2026.md", 15, b"# fees/2026.md\n")
    assert not listing.skipped
    assert not server.credentials


def test_a_folder_of_a_bucket_is_not_another_of_a_longer_name(server: GcsServer) -> None:
    assert (
        names(server, "gs://bank-docs/fees") == names(server, "gs://bank-docs/fees/") == ["2026.md", "cards/debit.MD"]
    )


def test_one_object_is_a_source_with_its_metadata(server: GcsServer) -> None:
    server.put("bank-docs", "fees/2026.md.meta.yaml", b"owner: desk\n")
    (item,) = bucket(server, "gs://bank-docs/fees/2026.md").items(ENDINGS).items
    assert item.name == "2026.md"
    assert item.origin == "gs://bank-docs/fees/2026.md"
    assert item.meta
    assert item.meta() == b"owner: desk\n"


def test_a_long_list_comes_in_pages(server: GcsServer) -> None:
    server.page = 2
    assert len(names(server, "gs://bank-docs")) == 4
    assert len(server.asked) == 3


def test_the_stamp_changes_with_the_object_and_with_its_metadata(server: GcsServer) -> None:
    source = bucket(server, "gs://bank-docs/fees")
    stamps = [source.items(ENDINGS).items[0].stamp for _ in range(2)]
    server.put("bank-docs", "fees/2026.md", b"# new")
    stamps.append(source.items(ENDINGS).items[0].stamp)
    server.put("bank-docs", "fees/2026.md.meta.yaml", b"owner: desk")
    stamps.append(source.items(ENDINGS).items[0].stamp)
    assert stamps[0] == stamps[1]
    assert len(set(stamps)) == 3


def test_an_object_changed_after_it_was_listed_is_not_read(server: GcsServer) -> None:
    item = bucket(server, "gs://bank-docs/fees").items(ENDINGS).items[0]
    server.put("bank-docs", "fees/2026.md", b"# other")
    assert "changed or deleted after it was listed" in unread(item)


def test_names_with_tricks_are_skipped_with_the_reason(server: GcsServer) -> None:
    for name in ("/etc.md", "a//b.md", "../up.md", "a/../../b.md", "bell\x07.md", "back\\slash.md", ".hidden/a.md"):
        server.put("odd-names", name, b"x")
    listing = bucket(server, "gs://odd-names").items(ENDINGS)
    assert not listing.items
    assert {skipped.name: skipped.reason.split(" (")[0] for skipped in listing.skipped} == {
        "../up.md": "its name is a path trick",
        "/etc.md": "its name is a path trick",
        "a//b.md": "its name is a path trick",
        "a/../../b.md": "its name is a path trick",
        "back\\slash.md": "its name has a backslash",
        "bell\\x07.md": "its name has control characters",
    }


def test_an_object_stored_compressed_is_skipped(server: GcsServer) -> None:
    server.put("bank-docs", "fees/page.html", b"\x1f\x8b", encoding="gzip")
    (skipped,) = bucket(server, "gs://bank-docs/fees").items(ENDINGS).skipped
    assert skipped.name == "page.html"
    assert "gzip" in skipped.reason


def test_a_bucket_that_is_not_there_or_closed_is_missing_in_words(server: GcsServer) -> None:
    assert missing(bucket(server, "gs://other-bucket")) == "gs://other-bucket does not exist."
    server.faults = [Fault.DENIED, Fault.UNKNOWN]
    assert "roles/storage.objectViewer" in missing(bucket(server, "gs://bank-docs"))
    assert "without credentials" in missing(bucket(server, "gs://bank-docs"))


def test_a_folder_without_any_object_is_missing(server: GcsServer) -> None:
    assert missing(bucket(server, "gs://bank-docs/fee")) == "There is no object under gs://bank-docs/fee."
    assert missing(bucket(server, "gs://bank-docs/fee/")) == "There is no object under gs://bank-docs/fee/."


def test_a_server_that_stumbles_is_asked_again(server: GcsServer) -> None:
    server.faults = [Fault.UNAVAILABLE, Fault.UNAVAILABLE]
    assert names(server, "gs://bank-docs/fees-old") == ["2025.md"]


def test_a_server_that_is_down_is_missing_in_words(server: GcsServer) -> None:
    server.faults = [Fault.UNAVAILABLE] * 2000
    assert missing(bucket(server, "gs://bank-docs")) == "gs://bank-docs does not answer: ServiceUnavailable."


def test_content_that_does_not_fit_its_checksum_is_not_taken(server: GcsServer) -> None:
    item = bucket(server, "gs://bank-docs/fees").items(ENDINGS).items[0]
    server.faults = [Fault.GARBLED] * 3
    assert unread(item) == "it arrives damaged: its checksum does not fit"
