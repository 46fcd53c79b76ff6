"""Google Cloud as a bank set it up: its project, regions, addresses and the way to sign in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import google.auth
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.oauth2 import credentials as bearer
from google.oauth2 import service_account

from opsplane.errors import InvalidRequest

SERVICES = ("gemini", "vector", "search", "armor", "bigquery", "bigquery_write", "storage", "monitoring", "kms")
"""Services that have an address of their own in the settings."""
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
NOBODY = "none"
"""What the setting says where no credentials are shown; only servers on this machine are asked so."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_REGION = re.compile(r"[a-z]+-[a-z]+\d+|global|us|eu")


@dataclass(frozen=True)
class Cloud:
    """One project. `others` are asked where `location` fails; an address that is empty is Google's own."""

    project: str = ""
    location: str = "us-central1"
    others: tuple[str, ...] = ()
    credentials: str = ""
    api_version: str = ""
    anywhere: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)

    @property
    def locations(self) -> tuple[str, ...]:
        """All regions, in the order in which they are asked."""
        return (self.location, *(one for one in self.others if one != self.location))

    def address(self, service: str) -> str:
        """The address of a service, without a slash at its end; empty: Google's own."""
        return (self.addresses.get(service) or self.anywhere).rstrip("/")

    def check(self) -> None:
        """Raise `InvalidRequest`, naming the setting, for what cannot be right."""
        for region in self.locations:
            if not _REGION.fullmatch(region):
                raise InvalidRequest(f"OPSPLANE_GOOGLE_LOCATION: {region!r} is no region such as europe-west4")
        if self.credentials == NOBODY and (away := [name for name in SERVICES if not _near(self.address(name))]):
            setting = f"OPSPLANE_{away[0].upper()}_ENDPOINT"
            raise InvalidRequest(
                f"OPSPLANE_GOOGLE_CREDENTIALS: none is for servers on this machine; {setting} is another address"
            )
        if self.credentials not in ("", NOBODY) and not Path(self.credentials).is_file():
            raise InvalidRequest(f"OPSPLANE_GOOGLE_CREDENTIALS: there is no file {self.credentials!r}")

    def login(self) -> Credentials:
        """The credentials to show; raise `InvalidRequest` where there are none.

        A file is a service account's key; what else there is (workload identity, a person's own) is found by ADC, for
        which GOOGLE_APPLICATION_CREDENTIALS names a file. A server on this machine is shown a token that opens
        nothing, since Google's own client for models refuses to go without.
        """
        if self.credentials == NOBODY:
            return bearer.Credentials("local")  # type: ignore[no-untyped-call]
        try:
            if self.credentials:
                key: Credentials = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
                    self.credentials, scopes=[SCOPE]
                )
                return key
            found, _ = google.auth.default(scopes=[SCOPE])
        except (GoogleAuthError, OSError, ValueError) as error:
            told = f"Google Cloud has no credentials here (OPSPLANE_GOOGLE_CREDENTIALS): {error}"
            raise InvalidRequest(told) from error
        signed_in: Credentials = found
        return signed_in


def _near(address: str) -> bool:
    """Whether an address is on this machine."""
    return bool(address) and urlsplit(address if "//" in address else f"//{address}").hostname in _LOOPBACK
