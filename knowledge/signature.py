"""What a file is by its first bytes, whatever its name says."""

import re

from knowledge.reading import Unfit

PACKED = (".docx", ".xlsx")
_TEXTS = (".md", ".markdown", ".html", ".htm", ".csv", ".tsv", ".txt")
_SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or a newer Office file"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an older or an encrypted Office file"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\0", "a program"),
    (b"SQLite format 3\0", "a database"),
    (b"{\\rtf", "an RTF file"),
)
_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*(<!doctype html|<html[\s>])", re.IGNORECASE)
_OWN = {".pdf": "a PDF", **dict.fromkeys(PACKED, "a ZIP archive or a newer Office file")}
_PDF_WITHIN = 1024


def refuse_disguise(ending: str, data: bytes) -> None:
    """Raises `Unfit` where the bytes are of another kind than the ending of the name says."""
    kind = _kind(data)
    if kind == "an older or an encrypted Office file" and ending in PACKED:
        raise Unfit(f"encrypted, or an older Office file: save a {ending} copy without a password")
    if kind and kind != _OWN.get(ending):
        raise Unfit(f"says {ending} but is {kind}")
    if ending in _OWN and not kind:
        raise Unfit(f"damaged: says {ending} but does not begin as {_OWN[ending].split(' or ')[0]} does")
    if ending in _TEXTS and ending not in (".html", ".htm") and _PAGE.match(data[:_PDF_WITHIN]):
        raise Unfit(f"says {ending} but is an HTML page: name it .html")


def _kind(data: bytes) -> str:
    for sign, kind in _SIGNS:
        if data.startswith(sign):
            return kind
    return "a PDF" if b"%PDF-" in data[:_PDF_WITHIN] and not data[:_PDF_WITHIN].isascii() else ""
