"""Tables as rows of Markdown, whatever file they stand in."""

from collections.abc import Iterable, Sequence

from knowledge.reading import Unfit

CELLS = 200_000
"""A file whose tables have more cells is refused."""

Row = Sequence[str]


def markdown(rows: Iterable[Row]) -> list[str]:
    """The lines of a table whose first row is the header; empty rows are left out, short ones filled up."""
    told = [[_cell(cell) for cell in row] for row in rows]
    filled = [row for row in told if any(row)]
    if not filled:
        return []
    width = max(len(row) for row in filled)
    refuse_size(width * len(filled))
    lines = ["| " + " | ".join(row + [""] * (width - len(row))) + " |" for row in filled]
    return [lines[0], "|" + "---|" * width, *lines[1:]]


def sheet(rows: Iterable[Row]) -> list[str]:
    """The lines of a sheet: tables under their first row, and what stands alone in a row as a line of its own.

    A row with one filled cell is a caption where it stands above the table or after an empty row; the row that
    follows it is a header again.
    """
    lines: list[str] = []
    table: list[Row] = []
    parted = True
    for row in _narrowed(rows):
        filled = [cell for cell in row if cell.strip()]
        if len(filled) == 1 and len(row) > 1 and parted:
            lines += [*markdown(table), "", _cell(filled[0]), ""]
            table = []
        elif filled:
            table.append(row)
        parted = not filled or (parted and not table)
    if all(len(row) == 1 for row in table):
        return [*lines, *(_cell(row[0]) for row in table)]
    return [*lines, *markdown(table)]


def refuse_size(cells: int) -> None:
    """Raises `Unfit` for more cells than anybody asks about."""
    if cells > CELLS:
        raise Unfit(f"a table of more than {CELLS:,} cells: split it, or keep what customers ask about")


def _narrowed(rows: Iterable[Row]) -> list[Row]:
    """The rows without the columns that are empty in all of them."""
    held = [list(row) for row in rows]
    width = max((len(row) for row in held), default=0)
    refuse_size(sum(len(row) for row in held))
    used = {place for row in held for place, cell in enumerate(row) if cell.strip()}
    kept = [place for place in range(width) if place in used]
    return [[row[place] if place < len(row) else "" for place in kept] for row in held]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")
