"""Documents in a bucket of Google Cloud Storage: `gs://bucket`, `gs://bucket/folder` or `gs://bucket/one/object`."""

import os
import re
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY

from knowledge.sources.gathering import SIDECAR, Gathering
from knowledge.sources.source import Item, Listing, SourceMissing

_SPEC = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(/(?P<prefix>.*))?")
_FIELDS = "items(name,size,generation,contentEncoding),nextPageToken"
_SECONDS = 60.0
_MEANINGS = {
    401: "cannot be read without valid credentials",
    403: "may not be read: give this account the role roles/storage.objectViewer on the bucket",
    404: "does not exist",
}


class Gcs:
    """The objects of a bucket below a prefix, each as it was when it was listed.

    `endpoint` is another address than Google's; one with http:// gets no credentials. `retry` is the client's.
    """

    def __init__(self, spec: str, endpoint: str = "", retry: Retry = DEFAULT_RETRY) -> None:
        """Raises `ValueError` in words where `spec` names no bucket."""
        match = _SPEC.fullmatch(spec)
        if match is None or not spec.isprintable():
            raise ValueError(f"{spec!r} is no bucket; write gs://bucket or gs://bucket/folder.")
        self.spec = spec
        self._bucket, self._prefix = match["bucket"], match["prefix"] or ""
        self._endpoint, self._retry = endpoint, retry

    def items(self, endings: Collection[str]) -> Listing:
        """What lies there now. Raises `SourceMissing`, also where there is no object at all."""
        gathering = Gathering(self.spec, endings)
        try:
            with _translated(f"gs://{self._bucket}"):
                look = _Look(self._bucket, self._endpoint, self._retry, gathering)
                if not (look.folder(self._prefix) or look.single(self._prefix)):
                    raise SourceMissing(f"There is no object under {self.spec}.")
        except OSError as error:
            raise SourceMissing(f"{str(error).rstrip('.')}.") from error
        return gathering.listing()


class _Look:
    """One look at a bucket. Its connections stay open as long as somebody can read what it found."""

    def __init__(self, bucket: str, endpoint: str, retry: Retry, gathering: Gathering) -> None:
        # Else the client asks for the bucket itself, at times of its own and with a right that reading does not need.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        client = Client(
            project=None,
            credentials=AnonymousCredentials() if endpoint.startswith("http://") else None,  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": endpoint} if endpoint else None,
        )
        weakref.finalize(self, client.close)
        self._bucket, self._gathering = client.bucket(bucket), gathering
        self._patient: dict[str, Any] = {"timeout": _SECONDS, "retry": retry}

    def folder(self, prefix: str) -> bool:
        """Take what lies in a folder; whether there was anything."""
        above = f"{prefix.rstrip('/')}/" if prefix else ""
        found = False
        for blob in self._bucket.list_blobs(prefix=above or None, fields=_FIELDS, **self._patient):
            found = True
            self._take(blob, above)
        return found

    def single(self, path: str) -> bool:
        """Take one object and the metadata beside it; whether it is there."""
        if not path or path.endswith("/"):
            return False
        found = [self._bucket.get_blob(name, **self._patient) for name in (path, path + SIDECAR)]
        for blob in found:
            if blob is not None:
                self._take(blob, path[: path.rfind("/") + 1])
        return found[0] is not None

    def _take(self, blob: Any, above: str) -> None:
        name = str(blob.name)[len(above) :]
        if not self._gathering.wants(name):
            return
        if blob.content_encoding == "gzip":  # unpacked it can be of any size
            self._gathering.skip(name, "stored compressed (Content-Encoding: gzip); upload it as it is")
            return
        origin, size = f"gs://{self._bucket.name}/{blob.name}", int(blob.size)
        read = partial(self._content, str(blob.name), int(blob.generation), size)
        self._gathering.take(Item(name, origin, size, str(blob.generation), read))

    def _content(self, name: str, generation: int, size: int) -> bytes:
        """The bytes of one generation of an object. Raises `OSError` in words."""
        with _translated(f"gs://{self._bucket.name}/{name}"):
            blob = self._bucket.blob(name, generation=generation)
            try:
                data: bytes = blob.download_as_bytes(raw_download=True, **self._patient)
            except NotFound as error:
                raise OSError("it was changed or deleted after it was listed; the next run takes it") from error
            except DataCorruption as error:
                raise OSError("it arrives damaged: its checksum does not fit") from error
        if len(data) != size:
            raise OSError(f"it arrives cut off ({len(data):,} of {size:,} bytes)")
        return data


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """The storage library's errors as `OSError` in the words of the operator who can mend them."""
    try:
        yield
    except GoogleAPICallError as error:
        raise OSError(
            f"{where} {_MEANINGS.get(int(error.code or 0), f'cannot be read now: {error.message}')}"
        ) from error
    except RetryError as error:
        cause = getattr(error.cause, "reason", None) or type(error.cause).__name__
        raise OSError(f"{where} does not answer: {cause}") from error
    except GoogleAuthError as error:
        raise OSError(f"{where} cannot be read without credentials: {error}") from error
    except OSError as error:
        if type(error) is OSError:  # one of ours; what the HTTP library raises is of its subclasses
            raise
        raise OSError(f"{where} cannot be reached: {type(error).__name__}") from error
