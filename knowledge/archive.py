"""Office files as what they are, ZIP archives of XML: refused before anything unpacks them whole."""

import io
import re
import zipfile
import zlib

from knowledge.reading import SAVE_AGAIN, Unfit

ENTRIES = 2_000
XML_BYTES = 100_000_000
RATIO = 100
"""An entry of more than a megabyte that is packed more tightly is a bomb; text packs about 1 : 20."""
_SMALL = 1_000_000
_TOGETHER = 300_000_000
_DTD = tuple(mark.encode(form) for form in ("ascii", "utf-16-le", "utf-16-be") for mark in ("<!DOCTYPE", "<!ENTITY"))
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.-]+)""")
_PLAIN = (b"utf-8", b"utf8", b"us-ascii", b"ascii", b"utf-16", b"iso-8859-1", b"windows-1252")


def refuse_bomb(data: bytes, main: str, ending: str) -> None:
    """Raises `Unfit` unless the archive holds the part `main` and unpacks to something that can be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _refuse_size(entries)
            if main not in {entry.filename for entry in entries}:
                raise Unfit(f"says {ending} but is another kind of ZIP archive (no {main})")
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _refuse_entities(entry.filename, archive.read(entry))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unfit(f"damaged or truncated ({error}); {SAVE_AGAIN}") from error


def _refuse_size(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > ENTRIES:
        raise Unfit(f"a ZIP bomb: {len(entries):,} parts, at most {ENTRIES:,} are read")
    for entry in entries:
        if entry.flag_bits & 1:
            raise Unfit("encrypted: save a copy without a password")
        if entry.file_size > _SMALL and entry.file_size > RATIO * max(entry.compress_size, 1):
            raise Unfit(f"a ZIP bomb: {entry.filename[:80]} unpacks to {entry.file_size:,} bytes")
    together = sum(entry.file_size for entry in entries)
    xml = sum(entry.file_size for entry in entries if entry.filename.lower().endswith(".xml"))
    if together > _TOGETHER or xml > XML_BYTES:
        raise Unfit(f"too large when unpacked ({together:,} bytes, {xml:,} of them XML; at most {XML_BYTES:,})")


def _refuse_entities(name: str, xml: bytes) -> None:
    """An Office file declares no entities: what does so wants to grow or to read other files."""
    declared = _ENCODING.search(xml[:300])
    if any(mark in xml for mark in _DTD) or (declared and declared[1].lower() not in _PLAIN):
        raise Unfit(f"declares entities or an unusual encoding in {name[:80]}, which Office files do not")
