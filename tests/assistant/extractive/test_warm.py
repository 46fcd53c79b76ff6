"""Warming up embeds what the documents say, once."""

from assistant import passages
from assistant.bootstrap import App
from assistant.extractive.warm import Warming
from knowledge import embedding
from knowledge.library import Reader
from tests.library import MODELS


def test_after_warming_a_documents_statements_are_known(app: App) -> None:
    model = embedding.load(MODELS)
    chunks = [
        one for one in app.library.in_force(Reader(app.today(), passages.CUSTOMERS)) if one.document_id == "bill-pay"
    ]
    warming = Warming(chunks, model)
    warming.wait()
    assert model.remembered() >= 20
    known = model.remembered()
    Warming(chunks, model).wait()
    assert model.remembered() == known


def test_warming_stops_when_it_is_told_to(app: App) -> None:
    model = embedding.load(MODELS)
    warming = Warming(app.library.in_force(Reader(app.today(), passages.CUSTOMERS)), model)
    warming.stop()
    assert model.remembered() < 5_000
