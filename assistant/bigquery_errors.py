"""What BigQuery refuses, in one sentence that names the setting or the role that is wrong.

PlaneError
├── ExportRefused   a person has to do something first
└── Unreachable     it may work the next time
    └── StillBuffered   the rows are too new to be changed
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError, TransportError

from opsplane.errors import PlaneError

_LONGEST = 300
_LATER = (
    *(exceptions.ServerError, exceptions.TooManyRequests, exceptions.RetryError, exceptions.Aborted),
    *(exceptions.Cancelled, exceptions.Unknown, TransportError, OSError),
)
_BUSY = ("quotaexceeded", "ratelimitexceeded", "quota exceeded", "exceeded rate limits")
_BUFFER = "streaming buffer"


class ExportRefused(PlaneError):
    """BigQuery will not do it as things are set up."""


class Unreachable(PlaneError):
    """BigQuery did not answer in time, or has too much to do."""


class StillBuffered(Unreachable):
    """Rows written in the last half hour or so cannot be changed or deleted yet."""


@dataclass(frozen=True)
class Where:
    """What is asked, for the sentences: a project, a dataset in it, and an address that is empty for Google's own."""

    project: str
    dataset: str
    address: str = ""
    setting: str = "OPSPLANE_BIGQUERY_ENDPOINT"

    @contextmanager
    def translated(self, deed: str) -> Iterator[None]:
        """The clients' errors as ours; `deed` says what was asked for: "create the table x"."""
        try:
            yield
        except (exceptions.GoogleAPIError, GoogleAuthError, OSError) as error:  # requests' and time-outs are the last
            raise self.told(error, deed) from error

    def told(self, error: Exception, deed: str) -> PlaneError:
        """An error of the clients as one of ours."""
        said = _words(error)
        low = said.lower()
        if _BUFFER in low:
            return StillBuffered(f"Rows of the last half hour are in BigQuery's streaming buffer, too new to {deed}.")
        if isinstance(error, exceptions.Forbidden) and any(word in low for word in _BUSY):
            return Unreachable(f"BigQuery has too much to do to {deed}: {said}")
        if isinstance(error, exceptions.Forbidden):
            return ExportRefused(self._forbidden(low, deed))
        if isinstance(error, exceptions.Unauthorized) or (
            isinstance(error, GoogleAuthError) and not isinstance(error, TransportError)
        ):
            return ExportRefused(
                f"BigQuery does not take the credentials (OPSPLANE_GOOGLE_CREDENTIALS), so as to {deed}: {said}"
            )
        if isinstance(error, exceptions.NotFound):
            return ExportRefused(self._missing(said, deed))
        if isinstance(error, _LATER):
            at = f"at {self.address} ({self.setting})" if self.address else "at Google's address"
            return Unreachable(f"BigQuery cannot be reached {at} to {deed}: {said}")
        return ExportRefused(f"BigQuery will not {deed}: {said}")

    def _forbidden(self, low: str, deed: str) -> str:
        if "jobs.create" in low:
            return (
                f"The export may not run queries in project {self.project}, so as to {deed}: give its account the role "
                "roles/bigquery.jobUser there (or mend OPSPLANE_GOOGLE_PROJECT)."
            )
        return (
            f"The export may not {deed}: give its account the role roles/bigquery.dataEditor on dataset {self.dataset} "
            f"of project {self.project} (or mend OPSPLANE_GOOGLE_PROJECT or OPSPLANE_BIGQUERY_DATASET)."
        )

    def _missing(self, said: str, deed: str) -> str:
        if "not found: dataset" not in said.lower():
            return f"BigQuery does not have what it takes to {deed}: {said}"
        return (
            f"Project {self.project} has no dataset {self.dataset}: make it in the region of your choice, or mend "
            "OPSPLANE_BIGQUERY_DATASET or OPSPLANE_GOOGLE_PROJECT."
        )


def _words(error: Exception) -> str:
    said = getattr(error, "message", "") or str(error) or type(error).__name__
    return " ".join(str(said).split())[:_LONGEST].rstrip(". ")
