"""Golden questions run through the real turn, and what came of them."""
