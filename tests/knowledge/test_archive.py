import io
import zipfile

import pytest

from knowledge import archive
from knowledge.reading import Unfit

MAIN = "word/document.xml"


def packed(*parts: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive_:
        for name, content in ((MAIN, b"<a/>"), *parts):
            archive_.writestr(name, content)
    return buffer.getvalue()


def refused(data: bytes) -> str:
    with pytest.raises(Unfit) as caught:
        archive.refuse_bomb(data, MAIN, ".docx")
    return str(caught.value)


def test_an_office_file_passes() -> None:
    archive.refuse_bomb(packed(("word/media/a.png", b"\x89PNG")), MAIN, ".docx")


def test_a_part_that_unpacks_to_very_much_is_refused() -> None:
    assert "ZIP bomb" in refused(packed(("word/bomb.xml", b" " * 5_000_000)))


def test_very_many_parts_are_refused() -> None:
    assert "at most 2,000" in refused(packed(*((f"{n}.xml", b"") for n in range(archive.ENTRIES))))


def test_a_size_that_lies_is_found_out() -> None:
    data = packed(("word/bomb.xml", b"<b>" + b"x" * 10_000 + b"</b>"))
    lie = data.replace((10_007).to_bytes(4, "little"), (20).to_bytes(4, "little"))
    assert "damaged" in refused(lie)


def test_a_truncated_archive_is_refused() -> None:
    assert "damaged or truncated" in refused(packed()[:-30])


def test_another_kind_of_archive_is_refused_by_name() -> None:
    with pytest.raises(Unfit, match=r"says .xlsx but is another kind of ZIP archive"):
        archive.refuse_bomb(packed(), "xl/workbook.xml", ".xlsx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_entities_are_refused_in_any_encoding(encoding: str) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode(encoding)
    assert "declares entities" in refused(packed(("word/styles.xml", bomb)))


def test_an_encoding_that_could_hide_entities_is_refused() -> None:
    assert "unusual encoding" in refused(packed(("word/styles.xml", b'<?xml version="1.0" encoding="UTF-7"?><a/>')))
