"""Distances as Google's stores tell them, as cosines of unit vectors."""

from collections.abc import Sequence

import numpy as np

from knowledge.index.store import Floats, Unfit

DOT_PRODUCT, COSINE = "DOT_PRODUCT_DISTANCE", "COSINE_DISTANCE"


def cosines(distances: Sequence[float], measure: str) -> Floats:
    """The cosines of neighbours, in [-1, 1], from their distances, which come nearest first.

    The cosine distance is 1 minus the cosine. The dot product is documented as its negative, and the services have
    answered with the product itself: the order tells which, and a single neighbour is taken to be near. Raises `Unfit`
    for a measure that no cosine can be told from.
    """
    told = np.asarray(distances, np.float64)
    if measure == COSINE:
        found = 1 - told
    elif measure == DOT_PRODUCT:
        negative = told[-1] > told[0] if len(told) > 1 and told[-1] != told[0] else bool(len(told) and told[0] < 0)
        found = -told if negative else told
    else:
        raise Unfit(f"The index measures {measure}, not the dot product or the cosine: opsplane index verify --mend")
    return np.clip(found, -1, 1).astype(np.float32)
