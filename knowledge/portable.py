"""PDF files: the text of each page."""

import io
import re

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from knowledge.document import Section


def pdf(data: bytes) -> tuple[dict[str, str], list[Section]]:
    """Title, where the file states one, and a section for each page that holds text.

    Raises ValueError for encrypted, damaged or scanned files.
    """
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise ValueError("encrypted: save a copy without a password")
        pages = [_prose(page.extract_text()) for page in reader.pages]
        title = str((reader.metadata and reader.metadata.title) or "").strip()
    except PyPdfError as error:
        raise ValueError(f"damaged PDF ({error})") from error
    sections = [Section(path=(f"Page {n}",), text=text) for n, text in enumerate(pages, 1) if text]
    if not sections:
        raise ValueError("no text: probably scanned pages; run character recognition first")
    first = sections[0].text.splitlines()[0]
    return {"title": title if title.lower() not in ("", "untitled", "(anonymous)") else first}, sections


def _prose(text: str) -> str:
    """Rejoin words that the line end broke."""
    return re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", text).strip()
