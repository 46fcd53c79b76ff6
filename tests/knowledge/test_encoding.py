import pytest

from knowledge.encoding import decode
from knowledge.reading import Unfit

FEES = "The bank’s fee is “waived” — the customer’s account may be charged when the balance falls below the minimum."
GERMAN = "Die Gebühr für Überweisungen beträgt fünf Euro. Für Kunden über 65 Jahre fällt keine Gebühr an."
RUSSIAN = (
    "Банк может взимать комиссию за перевод, если баланс счета ниже минимального значения и клиент не имеет вклада."
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_without_a_word(encoding: str) -> None:
    assert decode(f"{FEES}\r\nB\rC".encode(encoding)) == (f"{FEES}\nB\nC", ())


@pytest.mark.parametrize(
    ("text", "encoding", "told"),
    [
        (FEES, "cp1252", "windows-1252"),
        (GERMAN, "latin-1", "windows-1252"),
        (RUSSIAN, "cp1251", "windows-1251"),
        (FEES, "mac_roman", "macintosh"),
    ],
)
def test_an_encoding_that_reads_as_a_language_is_used_and_named(text: str, encoding: str, told: str) -> None:
    assert decode(text.encode(encoding)) == (text, (f"read as {told}",))


def test_a_declared_encoding_is_used() -> None:
    assert decode("残高".encode("shift_jis"), "Shift_JIS") == ("残高", ())
    assert decode(b"\x93Fee\x94", "ISO-8859-1") == ("“Fee”", ())


@pytest.mark.parametrize("declared", ["utf-7", "rot13", "zlib_codec", "unicode_escape", "../../etc"])
def test_a_declared_encoding_that_is_none_is_not_used(declared: str) -> None:
    with pytest.raises(Unfit, match="wrong encoding"):
        decode(b"Geb\xfchr", declared)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("Gebühr".encode("latin-1"), r"not UTF-8 at byte 3 \(0xfc\)"),
        ("Überweisungsgebühren für Kunden".encode()[:-3] + b"\xfc" + "für".encode(), "not UTF-8"),
        (b"\xff\xfea\x00\x00\xd8", "marked as UTF-16-LE, but is not at byte"),
        (b"text\0text", "NUL bytes: binary data"),
        ("text".encode("utf-16-le"), "without its mark"),
        ("a\0b".encode("utf-16"), "NUL characters"),
        (bytes(range(128, 256)) * 4, "no other that can be told"),
    ],
)
def test_what_cannot_be_told_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        decode(data)
