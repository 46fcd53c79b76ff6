from io import BytesIO

from reportlab.pdfgen.canvas import Canvas

from knowledge import portable


def test_a_stated_title_is_used_and_a_word_broken_by_the_line_is_whole() -> None:
    buffer = BytesIO()
    canvas = Canvas(buffer)
    canvas.setTitle("Card Guide")
    text = canvas.beginText(72, 700)
    text.textLines("A fee is re-\nturned when it was charged in error.")
    canvas.drawText(text)
    canvas.save()
    fields, (page,) = portable.pdf(buffer.getvalue())
    assert fields == {"title": "Card Guide"}
    assert page.text == "A fee is returned when it was charged in error."
