"""Which side of a rollout a customer is on: a salted hash of the customer id, as a whole number below 2**64.

The same customer, the same salt: the same number, after a restart and in every process. Shares are whole numbers of
parts in 10,000; a customer whose number is below the share is in, so that a growing share moves nobody back. Another
salt draws anew, so that two rollouts have nothing to do with each other.
"""

import hashlib

WHOLE = 10_000
"""Parts of a share: 100 % is 10,000."""
_RANGE = 1 << 64


def point(salt: str, customer: str) -> int:
    """A number in [0, 2**64), uniform over customers: the beginning of SHA-256 of salt and customer id."""
    return int.from_bytes(hashlib.sha256(f"{salt}\n{customer}".encode()).digest()[:8])


def within(salt: str, customer: str, share: int) -> bool:
    """Whether the customer is among the `share` parts of 10,000."""
    return point(salt, customer) * WHOLE < share * _RANGE


def arm(salt: str, customer: str, arms: int) -> int:
    """One of `arms` equally likely sides, from 0; independent of who is within a share under the same salt."""
    return point(f"{salt}/arm", customer) * arms // _RANGE
