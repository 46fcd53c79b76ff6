"""XLSX workbooks: every sheet that is shown as tables of the values that are shown."""

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import openpyxl
from defusedxml import ElementTree
from openpyxl.utils.cell import range_boundaries

from knowledge import archive, table
from knowledge.cell import shown
from knowledge.document import Section
from knowledge.reading import Reading, Unfit, counted

_MAIN = "xl/workbook.xml"
_ROWS = 1_048_576
_WIDEST = 16_384


@dataclass
class _Layout:
    """What a sheet's XML says beside its values."""

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    cells: int = 0
    bare: int = 0
    """Cells with a formula whose value was never stored."""


def xlsx(data: bytes) -> Reading:
    """A section for every sheet that is shown. Raises `Unfit` for archives and tables that nobody could read."""
    archive.refuse_bomb(data, _MAIN, ".xlsx")
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        layouts = {name: _layout(packed, part) for name, part in _parts(packed)}
    cells = sum(layout.cells for layout in layouts.values())
    table.refuse_size(cells)
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sections: list[Section] = []
    notes: list[str] = []
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            notes.append(f"the hidden sheet {sheet.title!r} is left out")
            continue
        layout = layouts.get(sheet.title, _Layout())
        lines = table.sheet(_visible(_merged(_values(sheet), layout), layout))
        sections.append(Section(path=(sheet.title,), text="\n".join(lines).strip()))
        notes += _notes(sheet.title, layout)
    title = str(book.properties.title or "").strip()
    book.close()
    return Reading(sections, {"title": title} if title else {}, notes)


def _parts(packed: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """The name of every sheet and the part of the archive in which it lies."""
    folder = posixpath.dirname(_MAIN)
    relations = ElementTree.fromstring(packed.read(f"{folder}/_rels/workbook.xml.rels"), forbid_dtd=True)
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    for element in ElementTree.fromstring(packed.read(_MAIN), forbid_dtd=True).iter():
        if _local(element.tag) == "sheet":
            mark = next((value for name, value in element.attrib.items() if _local(name) == "id"), "")
            part = posixpath.normpath(posixpath.join("/" + folder, targets.get(mark, ""))).lstrip("/")
            if part in packed.namelist():
                yield element.get("name", ""), part


def _layout(packed: zipfile.ZipFile, part: str) -> _Layout:
    layout, row, data = _Layout(), 0, None
    with packed.open(part) as stream:
        for event, element in ElementTree.iterparse(stream, events=("start", "end"), forbid_dtd=True):
            kind = _local(element.tag)
            if event == "start":
                data = element if kind == "sheetData" else data
                continue
            if kind == "row":
                row = _row(element, row, layout)
                table.refuse_size(layout.cells)
                if data is not None:
                    data.clear()
            elif kind == "col" and element.get("hidden") in ("1", "true"):
                first, last = int(element.get("min", "1")), int(element.get("max", "1"))
                layout.hidden_columns.update(range(max(first, 1), min(last, _WIDEST) + 1))
            elif kind == "mergeCell":
                layout.merged.append(range_boundaries(element.get("ref", "A1")))
    return layout


def _row(element: "ElementTree.Element", before: int, layout: _Layout) -> int:
    """Count a row's cells and unstored formulas; the number of the row, which follows the one before by default."""
    number = int(element.get("r") or before + 1)
    if element.get("hidden") in ("1", "true"):
        layout.hidden_rows.add(number)
    for cell in element:
        layout.cells += 1
        inside = {_local(child.tag): child.text for child in cell}
        layout.bare += "f" in inside and not inside.get("v")
    return number


def _values(sheet: "openpyxl.worksheet._read_only.ReadOnlyWorksheet") -> dict[int, list[str]]:
    """The shown texts by number of row; what the sheet says of its own extent is not believed."""
    sheet.reset_dimensions()
    rows: dict[int, list[str]] = {}
    held = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        if number > _ROWS:
            raise Unfit(f"damaged: more than {_ROWS:,} rows")
        texts = [shown(cell.value, cell.number_format) if cell.value is not None else "" for cell in row]
        if any(texts):
            rows[number] = texts
            held += len(texts)
            table.refuse_size(held)
    return rows


def _merged(rows: dict[int, list[str]], layout: _Layout) -> dict[int, list[str]]:
    """The rows with the text of merged cells in each of them, but once where it spans a row from end to end."""
    width = max((len(row) for row in rows.values()), default=0)
    last = max(rows, default=0)
    reach = 0
    for left, top, right, bottom in layout.merged:
        lower, outer = min(bottom, last), min(right, width)
        reach += max(lower - top + 1, 0) * max(outer - left + 1, 0)
        table.refuse_size(reach)
        text = rows.get(top, [])[left - 1 : left]
        if not text or not text[0] or (outer - left + 1 >= width > 1):
            continue
        for number in range(top, lower + 1):
            row = rows.setdefault(number, [])
            row += [""] * (outer - len(row))
            row[left - 1 : outer] = text * (outer - left + 1)
    return rows


def _visible(rows: dict[int, list[str]], layout: _Layout) -> Iterator[list[str]]:
    """The rows and columns that are shown, in order, with an empty row where the sheet has some."""
    before = 0
    for number in sorted(rows):
        if number in layout.hidden_rows:
            before = number if before == number - 1 else before
            continue
        if number > before + 1:
            yield []
        before = number
        yield [text for column, text in enumerate(rows[number], 1) if column not in layout.hidden_columns]


def _notes(title: str, layout: _Layout) -> list[str]:
    rows, columns, bare = len(layout.hidden_rows), len(layout.hidden_columns), layout.bare
    notes = [f"sheet {title!r}: {counted(rows, 'hidden row')} left out"] if rows else []
    notes += [f"sheet {title!r}: {counted(columns, 'hidden column')} left out"] if columns else []
    told = counted(bare, "cell holds a formula", "cells hold formulas")
    return [*notes, f"sheet {title!r}: {told} without a stored value"] if bare else notes


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
