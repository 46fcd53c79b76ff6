"""Whether customers arrive at the arms in the shares that the rollout says."""

from collections.abc import Sequence
from math import inf, log

WEIGHT = 300
"""How many customers the prior counts for: with fewer a gross loss is found sooner, with more a slight one."""


class RatioTest:
    """A sample-ratio test that may be read after every customer; alarm at an e-value of 20.

    Each customer multiplies the e-value by q/p: p is the share of the arm, q what was predicted for it from the
    customers before. Predictions sum to 1, so the mean of q/p is 1 where the shares are true, at every share anew, and
    the e-value ever reaches 20 with probability 1/20 at most. Predicted is the share times
    (WEIGHT·p + seen) / (WEIGHT·p + expected), scaled to sum to 1: what an arm lacked so far, it is taken to go on
    lacking. While the shares stay the same that is the multinomial test with a Dirichlet prior of Lindon and Malek,
    "Anytime-valid inference for multinomial count data" (NeurIPS 2022).

    The unit is a new customer, added once; adding each exchange of a customer who stays on one arm would count one
    draw many times. After the share has grown, a customer may be added once more only with the chances that are left
    to this customer: one who was not among 5 % is among 25 % with (25−5)/(100−5), and one who was is certain.
    """

    def __init__(self, arms: int) -> None:
        self._seen = [0] * arms
        self._expected = [0.0] * arms
        self._log_e = 0.0

    def add(self, arm: int, shares: Sequence[float]) -> None:
        """Take one customer in, who had these chances of each arm; raise `ValueError` where they do not sum to 1."""
        if len(shares) != len(self._seen) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
            raise ValueError(f"{len(self._seen)} shares that sum to 1 are needed, not {list(shares)}")
        if not shares[arm]:
            self._log_e = inf  # nobody can be on this arm
            return
        lacking = [
            (WEIGHT * share + seen) / (WEIGHT * share + expected) if share else 0.0
            for share, seen, expected in zip(shares, self._seen, self._expected, strict=True)
        ]
        whole = sum(share * factor for share, factor in zip(shares, lacking, strict=True))
        self._log_e += log(lacking[arm] / whole)
        self._seen[arm] += 1
        for number, share in enumerate(shares):
            self._expected[number] += share

    @property
    def log_e(self) -> float:
        """The log e-value that the arms are not met in their shares."""
        return self._log_e
