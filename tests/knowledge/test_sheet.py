from datetime import datetime

import pytest
from openpyxl.worksheet.worksheet import Worksheet

from knowledge import sheet, table
from knowledge.reading import Unfit
from tests.knowledge.papers import repacked, workbook

FEES = [("Service", "Fee", "Rate"), ("Wire", 35, 0.0425), ("Check", 9, 0.5)]


def lines(data: bytes) -> list[str]:
    return sheet.xlsx(data).sections[0].text.split("\n")


def test_a_sheet_is_a_table_of_what_its_cells_show() -> None:
    def change(fees: Worksheet) -> None:
        fees["B2"].number_format, fees["C2"].number_format = '"$"#,##0.00', "0.00%"
        fees["D1"], fees["D2"] = "From", datetime(2026, 7, 1)  # noqa: DTZ001  # spreadsheets know no zones

    (section,) = sheet.xlsx(workbook(FEES, change)).sections
    assert section.path == ("Fees",)
    assert section.text.split("\n")[2:] == ["| Wire | $35.00 | 4.25% | 2026-07-01 |", "| Check | 9 | 0.5 |  |"]


def test_a_title_above_the_table_is_a_line_of_its_own() -> None:
    data = workbook([("Fees of 2026",), (), *FEES], lambda fees: fees.merge_cells("A1:C1"))
    assert lines(data)[:3] == ["Fees of 2026", "", "| Service | Fee | Rate |"]


def test_a_merged_cell_stands_in_every_row_that_it_spans() -> None:
    data = workbook([("Kind", "Fee"), ("Wire", 1), (None, 2)], lambda fees: fees.merge_cells("A2:A3"))
    assert lines(data)[2:] == ["| Wire | 1 |", "| Wire | 2 |"]


def test_what_is_hidden_is_left_out_with_a_note() -> None:
    def change(fees: Worksheet) -> None:
        fees.row_dimensions[2].hidden = True
        fees.column_dimensions["C"].hidden = True
        fees.parent.create_sheet("Internal").sheet_state = "hidden"

    reading = sheet.xlsx(workbook(FEES, change))
    assert [section.text for section in reading.sections] == ["| Service | Fee |\n|---|---|\n| Check | 9 |"]
    assert reading.notes == [
        "sheet 'Fees': 1 hidden row left out",
        "sheet 'Fees': 1 hidden column left out",
        "the hidden sheet 'Internal' is left out",
    ]


def test_a_formula_without_a_stored_value_is_told() -> None:
    reading = sheet.xlsx(workbook([("Fee",), ("=1+1",), ("=2+2",)]))
    assert reading.notes == ["sheet 'Fees': 2 cells hold formulas without a stored value"]


def test_an_extent_that_lies_is_not_believed() -> None:
    def lie(xml: bytes) -> bytes:
        return xml.replace(b'<dimension ref="A1:C3"', b'<dimension ref="A1:XFD1048576"')

    assert len(lines(repacked(workbook(FEES), xl__worksheets__sheet1=lie))) == 4


@pytest.mark.parametrize("merged", ["A1:XFD1048576", "A2:A1048576"])
def test_a_merged_cell_larger_than_the_sheet_fills_only_the_sheet(merged: str) -> None:
    def merge(xml: bytes) -> bytes:
        return xml.replace(
            b"</sheetData>", f'</sheetData><mergeCells><mergeCell ref="{merged}"/></mergeCells>'.encode()
        )

    assert len(lines(repacked(workbook(FEES), xl__worksheets__sheet1=merge))) >= 3


def test_a_cell_far_away_costs_no_more_than_one_near() -> None:
    assert lines(workbook(FEES, lambda fees: fees.cell(1_048_576, 16_384, "far")))[-1] == "far"


def test_more_cells_than_anybody_reads_are_refused() -> None:
    row = b"<row>" + b"<c><v>1</v></c>" * 1000 + b"</row>"
    bomb = repacked(
        workbook(FEES), xl__worksheets__sheet1=lambda xml: xml.replace(b"</sheetData>", row * 201 + b"</sheetData>")
    )
    with pytest.raises(Unfit, match=f"more than {table.CELLS:,} cells|ZIP bomb"):
        sheet.xlsx(bomb)


def test_the_stated_title_is_kept() -> None:
    def change(fees: Worksheet) -> None:
        fees.parent.properties.title = "Fee schedule"

    assert sheet.xlsx(workbook(FEES, change)).fields == {"title": "Fee schedule"}
