import pytest

from knowledge.reading import Unfit
from knowledge.signature import refuse_disguise

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("ending", "data", "reason"),
    [
        (".md", b"%PDF-1.7\n", "says .md but is a PDF"),
        (".txt", b"PK\x03\x04rest", "says .txt but is a ZIP archive"),
        (".csv", b"\x89PNG\r\n\x1a\n", "says .csv but is a PNG image"),
        (".html", b"MZ\x90\0", "says .html but is a program"),
        (".pdf", b"PK\x03\x04", "says .pdf but is a ZIP archive"),
        (".xlsx", b"%PDF-1.7", "says .xlsx but is a PDF"),
        (".docx", OLE, "encrypted, or an older Office file: save a .docx copy"),
        (".txt", OLE, "says .txt but is an older or an encrypted Office file"),
        (".md", b"\xef\xbb\xbf <!DOCTYPE html><html>", "is an HTML page: name it .html"),
        (".pdf", b"plain", "damaged: says .pdf but does not begin as a PDF does"),
        (".docx", b"plain", "damaged: says .docx"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(ending: str, data: bytes, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        refuse_disguise(ending, data)


@pytest.mark.parametrize(
    ("ending", "data"),
    [
        (".md", b"# Text"),
        (".md", b"A PDF begins with %PDF-."),
        (".pdf", b"\xff junk %PDF-1.4"),
        (".docx", b"PK\x03\x04"),
        (".html", b"<html>"),
    ],
)
def test_a_file_that_is_what_its_name_says_passes(ending: str, data: bytes) -> None:
    refuse_disguise(ending, data)
