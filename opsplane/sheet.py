"""Tables for spreadsheets: no cell of them can start a formula."""

_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
"""What makes a spreadsheet compute, also typed in full width; a minus sign may begin a formula too."""


def harmless(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: marked as text where it would be one."""
    cell = str(value)
    if isinstance(value, int | float):  # a number below nothing is no formula
        return cell
    return f"'{cell}" if cell[:1] in _FORMULA else cell
