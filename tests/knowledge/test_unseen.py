import pytest

from knowledge.unseen import colour, conceals, declarations, hiding


@pytest.mark.parametrize(
    "style",
    [
        "display:none",
        "DISPLAY : None !important",
        "visibility: hidden",
        "opacity: 0",
        "opacity:.01",
        "font-size:0",
        "font-size: 1px",
        "position:absolute; left:-9999px",
        "text-indent: -100em",
        "clip: rect(0 0 0 0)",
        "clip: rect(1px, 1px, 1px, 1px)",
        "clip-path: inset(50%)",
        "height:1px; width:1px; overflow:hidden",
        "transform: scale(0)",
        "color: transparent",
        "color: rgba(0,0,0,0)",
    ],
)
def test_styles_that_hide_text_are_known(style: str) -> None:
    assert conceals(declarations(style))


@pytest.mark.parametrize(
    "style",
    [
        "",
        "display:block",
        "opacity: 0.9",
        "font-size: 0.8em",
        "font-size: 90%",
        "font-size: small",
        "margin-left: -20px",
        "left: 50%",
        "width: 0",
        "color: white",
        "transform: scale(0.5)",
        "nonsense",
    ],
)
def test_ordinary_styles_hide_nothing(style: str) -> None:
    assert not conceals(declarations(style))


def test_simple_rules_of_a_sheet_are_read_and_conditional_ones_not() -> None:
    sheet = (
        "/* .a{display:none} */ .b, #c , .d .e{display:none} @media print{.f{display:none}} .g{color:red} .h{opacity:0}"
    )
    assert hiding(sheet) == {".b", "#c", ".h"}


@pytest.mark.parametrize(
    "sheet", ["{" * 100_000, "}" * 100_000, ".a{" * 30_000, "/*" * 50_000, ".a{display:none", "@" * 9999]
)
def test_a_broken_sheet_is_read_in_a_moment(sheet: str) -> None:
    assert hiding(sheet) == frozenset()


@pytest.mark.parametrize("white", ["white", "#fff", "#ffffff", "rgb(255,255,255)", "rgb(255 255 255 / 0.9)"])
def test_a_colour_is_the_same_in_every_way_of_writing(white: str) -> None:
    assert colour(white) == "#ffffff"
