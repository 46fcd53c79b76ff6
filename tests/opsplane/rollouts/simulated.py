"""Small simulated rollouts for the tests: exposures one after the other."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

Exposure = tuple[str, bool, float, float]
"""Customer, candidate, share, value: what a test's `add` takes."""

exposures: st.SearchStrategy[list[Exposure]] = st.lists(
    st.tuples(
        st.integers(0, 60).map("C-{}".format),
        st.booleans(),
        st.sampled_from([0.05, 0.25, 0.5]),
        st.floats(0, 1, width=16),
    ),
    max_size=200,
)


@dataclass
class Simulated:
    """Rollouts whose customers return and stay on their side; a third of the time their luck is their own."""

    rows: int
    ramp: Sequence[float] = (0.1,)
    passes: tuple[float, float] = (0.9, 0.9)  # from the first exposure to the last
    drop: float = 0.0
    start: int = 0
    customers: int = 400

    def run(self, seed: int) -> Iterator[Exposure]:
        """The exposures of one rollout."""
        chance = random.Random(seed)
        place = [chance.random() for _ in range(self.customers)]
        luck = [chance.random() for _ in range(self.customers)]
        for row in range(self.rows):
            who = chance.randrange(self.customers)
            share = self.ramp[row * len(self.ramp) // self.rows]
            drawn = luck[who] if chance.random() < 0.3 else chance.random()
            rate = self.passes[0] + (self.passes[1] - self.passes[0]) * row / self.rows
            candidate = place[who] < share
            broken = candidate and row >= self.start
            yield f"C-{who}", candidate, share, float(drawn < rate - self.drop * broken)
