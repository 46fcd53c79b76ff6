from collections.abc import Mapping

from knowledge.embedding import EXACT, ROUNDED, MiniLM
from knowledge.encoder import Encoder
from knowledge.encoders import Encoders, family


def test_a_model_is_opened_once_and_when_it_is_needed(minilm: MiniLM) -> None:
    opened = []

    def opener() -> Encoder:
        opened.append(1)
        return minilm

    encoders = Encoders({"one": opener})
    assert ("one" in encoders, len(encoders), opened) == (True, 1, [])
    assert encoders["one"] is encoders["one"]
    assert opened == [1]


def test_the_same_weights_make_two_models_whose_vectors_are_near(minilm: MiniLM) -> None:
    models: Mapping[str, Encoder] = family(minilm)
    assert set(models) == {ROUNDED, EXACT}
    text = "The overdraft fee is $15 for each item."
    exact = models[EXACT]
    assert exact.name == EXACT
    cosine = float(exact.encode([text])[0] @ minilm.encode([text])[0])
    assert 0.98 < cosine < 0.9999
