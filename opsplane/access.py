"""Who acts: people with one role each, and the service itself."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from opsplane.errors import Refused


class Role(StrEnum):
    """What a person is allowed to do; one role a person."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    APPROVER = "approver"
    REVIEWER = "reviewer"
    SERVICE = "service"


class Actor(BaseModel):
    """A person (or the service) as it stands on every event."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    role: Role

    def must_be(self, *roles: Role) -> None:
        """Raise `Refused` unless the actor has one of the roles."""
        if self.role not in roles:
            wanted = " or ".join(role.value for role in roles)
            raise Refused(f"This needs the role {wanted}; you are signed in as {self.role.value}.")


SERVICE = Actor(id="opsplane", role=Role.SERVICE)
"""The product acting by itself: start, stop, configuration."""
