"""CSV files: rows of text, whatever the delimiter."""

import csv
import io
from collections import Counter

from knowledge import table
from knowledge.document import Section
from knowledge.reading import Reading, Unfit

_DELIMITERS = ",;\t|"
_LOOKED_AT = 50


def delimited(text: str) -> Reading:
    """A CSV file as one table under its first row. Cells are text: a formula is not computed. Raises `Unfit`."""
    rows: list[list[str]] = []
    cells = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)):
            rows.append(row)
            cells += len(row)
            table.refuse_size(cells)
    except csv.Error as error:
        raise Unfit(f"damaged: row {len(rows) + 1}: {error}") from error
    return Reading([Section(path=(), text="\n".join(table.sheet(rows)).strip())])


def _delimiter(text: str) -> str:
    """The delimiter that cuts most of the first rows into the same number of cells, the more the better."""
    head = text[:200_000].split("\n")[: _LOOKED_AT + 1]
    sample = "\n".join(head[:_LOOKED_AT])

    def score(delimiter: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(io.StringIO(sample), delimiter=delimiter) if len(row) > 1)
        except csv.Error:
            return (0, 0)
        width, times = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        return times, width

    return max(_DELIMITERS, key=score)
