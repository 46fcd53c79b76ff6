"""What an exchange costs: the price table and integer micro-dollars."""

from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opsplane import yamlfile
from opsplane.exchange import Usage

TABLE = Path(__file__).parent / "prices.yaml"


class Price(BaseModel):
    """Dollars per million tokens (that is micro-dollars per token): input, output and cached input."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)
    cached: Decimal = Field(ge=0)


class Prices(BaseModel):
    """A dated price table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    source: str
    currency: str
    models: dict[str, Price]

    def cost(self, model: str, usage: Usage) -> int:
        """Micro-dollars for `usage` of `model`, rounded half to even; 0 for a model without a price.

        Whether a model has a price is told by `knows`, so that an unknown price is never booked as "free" unnoticed.
        """
        price = self.models.get(model)
        if price is None:
            return 0
        fresh = usage.input - usage.cached
        total = fresh * price.input + usage.cached * price.cached + usage.output * price.output
        return int(total.to_integral_value(ROUND_HALF_EVEN))

    def knows(self, model: str) -> bool:
        """Whether the table has a price for this model."""
        return model in self.models


def load(path: Path = TABLE) -> Prices:
    """Read the price table; raise `InvalidRelease` with file, line and field."""
    return yamlfile.read(path, Prices)
