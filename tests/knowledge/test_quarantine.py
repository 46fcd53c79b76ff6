import os
import threading
import time
from collections.abc import Iterator

import pytest

from knowledge.quarantine import Quarantine
from knowledge.reading import Reading, Unfit
from tests.knowledge.papers import drawn

NESTED = b"<div>" * 200_000
"""A page whose reading takes minutes: the time grows with the square of its depth."""


@pytest.fixture
def quarantine() -> Iterator[Quarantine]:
    opened = Quarantine(seconds=20, workers=2)
    yield opened
    opened.close()


def test_a_file_is_read_in_another_process_which_is_used_again(quarantine: Quarantine) -> None:
    first, second = (quarantine.read("pdf", drawn(text)) for text in ("One.", "Two."))
    assert [first.sections[0].text, second.sections[0].text] == ["One.", "Two."]
    assert first.sections[0].page == 1
    assert quarantine.started == 1


def test_a_refusal_comes_back_with_its_reason(quarantine: Quarantine) -> None:
    with pytest.raises(Unfit, match="no text: probably scanned"):
        quarantine.read("pdf", drawn(""))


def test_a_file_that_takes_too_long_is_given_up_and_the_next_is_read() -> None:
    impatient = Quarantine(seconds=2)
    begun = time.monotonic()
    with pytest.raises(Unfit, match="took longer than 2 seconds to read"):
        impatient.read("html", NESTED)
    assert time.monotonic() - begun < 10
    assert Quarantine.read(impatient, "html", b"Text.").sections[0].text == "Text."
    assert impatient.started == 2
    impatient.close()


def test_a_file_that_needs_too_much_memory_is_given_up_and_the_next_is_read() -> None:
    small = Quarantine(megabytes=250)
    with pytest.raises(Unfit, match=r"damaged|memory"):
        small.read("html", b"<p>x" * 2_000_000)
    assert small.read("html", b"Text.").sections[0].text == "Text."
    small.close()


def test_a_worker_that_dies_takes_only_its_file_with_it(quarantine: Quarantine) -> None:
    quarantine.read("html", b"Text.")
    for pid in quarantine.waiting():
        os.kill(pid, 9)
    assert quarantine.read("html", b"Text.").sections[0].text == "Text."


def test_several_threads_may_ask_at_once(quarantine: Quarantine) -> None:
    found: list[Reading] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(quarantine.read("html", b"<p>%d</p>" % n))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reading.sections[0].text for reading in found) == [str(n) for n in range(8)]
    assert quarantine.started <= 2


def test_a_kind_that_nobody_reads_is_refused(quarantine: Quarantine) -> None:
    with pytest.raises(Unfit, match=r"damaged \(KeyError\)"):
        quarantine.read("exe", b"MZ")


def test_waiting_workers_are_ended(quarantine: Quarantine) -> None:
    quarantine.read("html", b"Text.")
    assert len(quarantine.waiting()) == 1
    quarantine.close()
    assert quarantine.waiting() == []
