import pytest

from knowledge.index.distance import COSINE, DOT_PRODUCT, cosines
from knowledge.index.store import Unfit


@pytest.mark.parametrize(
    ("told", "measure", "expected"),
    [
        ([0.9, 0.4, -0.2], DOT_PRODUCT, [0.9, 0.4, -0.2]),
        ([-0.9, -0.4, 0.2], DOT_PRODUCT, [0.9, 0.4, -0.2]),
        ([-0.9], DOT_PRODUCT, [0.9]),
        ([0.5, 0.5], DOT_PRODUCT, [0.5, 0.5]),
        ([-0.5, -0.5], DOT_PRODUCT, [0.5, 0.5]),
        ([0.1, 0.6], COSINE, [0.9, 0.4]),
        ([1.0000002], DOT_PRODUCT, [1.0]),
        ([], DOT_PRODUCT, []),
    ],
)
def test_distances_become_cosines_whichever_sign_they_have(
    told: list[float], measure: str, expected: list[float]
) -> None:
    assert cosines(told, measure).tolist() == pytest.approx(expected)


def test_a_measure_without_cosine_is_refused() -> None:
    with pytest.raises(Unfit, match="SQUARED_L2_DISTANCE"):
        cosines([0.1], "SQUARED_L2_DISTANCE")
