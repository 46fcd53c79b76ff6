"""The difference between two arms as a score, clustered by customer, that knows what share each exposure was under."""

from math import log

from opsplane.rollouts import sequences

_LEAST = 1e-12
"""The smallest variance taken seriously; below it lies the rounding of its three sums."""


class Score:
    """Sums over customers of G = Σ(A−ρ)(Y−m) and W = Σ(A−ρ)²: the difference δ̂ = ΣG/ΣW and its variance.

    A is 1 on the candidate, ρ its probability at that exposure, Y the value and m what was expected before it. A−ρ has
    mean 0, so that G − δW has mean 0 whatever the baseline does while the share grows: comparing pooled means would
    book a baseline's fall as harm (Simpson's paradox). A customer's exposures count as one cluster,
    V = Σ(G−δ̂W)² / (ΣW)² · u/(u−1) over u customers (Liang and Zeger, Biometrika 73, 1986), because they resemble each
    other and stay on one side. Centring on m only takes variance away (Robinson, Econometrica 56, 1988).
    """

    def __init__(self) -> None:
        self._customers: dict[str, tuple[float, float]] = {}
        self._g = self._w = self._gg = self._gw = self._ww = 0.0

    @property
    def enough(self) -> bool:
        """Whether there are two customers, so that there is a variance."""
        return len(self._customers) >= 2

    def add(self, customer: str, lean: float, residual: float) -> None:
        """Take one exposure in: A−ρ and Y−m."""
        g, w = lean * residual, lean * lean
        before_g, before_w = self._customers.get(customer, (0.0, 0.0))
        self._customers[customer] = before_g + g, before_w + w
        self._g += g
        self._w += w
        self._gg += g * (2 * before_g + g)
        self._gw += g * (before_w + w) + before_g * w
        self._ww += w * (2 * before_w + w)

    @property
    def difference(self) -> float | None:
        """Candidate minus stable within [−1, 1], or None before the first exposure."""
        return _within(self._g / self._w) if self._w else None

    @property
    def variance(self) -> float:
        """The variance V of the difference; there must be two customers."""
        difference, count = self._g / self._w, len(self._customers)
        squares = self._gg - 2 * difference * self._gw + difference * difference * self._ww
        return max(_LEAST, squares / (self._w * self._w) * count / (count - 1))

    def interval(self, alpha: float, tau: float) -> tuple[float, float]:
        """A two-sided confidence sequence for the difference, within [−1, 1], where `tau` is the difference to expect.

        The normal mixture of precision 1/τ² at the sum δ̂/V with variance 1/V; as the number of customers grows it
        holds at all looks at once (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 52, 2024).
        """
        variance, middle = self.variance, self._g / self._w
        half = variance * sequences.two_sided(1 / variance, 1 / tau**2, alpha)
        return _within(middle - half), _within(middle + half)

    def low(self, alpha: float, tau: float) -> float:
        """The lower end of the one-sided sequence: the largest harm not refuted, as a difference; never below −1."""
        variance, middle = self.variance, self._g / self._w

        def refuted(below: float) -> bool:
            return sequences.one_sided(below / variance, 1 / variance, 1 / tau**2) >= -log(alpha)

        return _within(middle - sequences.crossing(refuted, 0.0, 2.0))


def _within(difference: float) -> float:
    return max(-1.0, min(1.0, difference))
