"""The door to BigQuery's Storage Write API: committed write streams, appended to at explicit offsets.

A stream takes a batch at the row where it ends, whole or not at all. What lies there already it refuses, so that a
batch which is sent again arrives once.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]
from google.api_core import exceptions
from google.cloud.bigquery_storage_v1 import types
from google.cloud.bigquery_storage_v1.services.big_query_write import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.rpc.code_pb2 import Code  # type: ignore[import-untyped]

from assistant.bigquery_errors import ExportRefused, Unreachable, Where
from assistant.bigquery_tables import Column, Table
from assistant.cloud import Cloud
from opsplane.ledger.outbox import Kinds

MOST_BYTES = 8_000_000
"""Bytes of one batch; a request may have ten million, with what goes round the rows."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OPTIONS = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))
_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "STRING": _FIELD.TYPE_STRING,
    "JSON": _FIELD.TYPE_STRING,
    "INT64": _FIELD.TYPE_INT64,
    "TIMESTAMP": _FIELD.TYPE_INT64,  # microseconds
    "DATE": _FIELD.TYPE_INT32,  # days since 1970
}
_FROM_CALL: Any = exceptions.from_grpc_error  # neither has types
_FROM_STATUS: Any = exceptions.from_grpc_status
_Code = types.StorageError.StorageErrorCode
_ENDINGS = frozenset(
    (_Code.STREAM_FINALIZED, _Code.STREAM_NOT_FOUND, _Code.INVALID_STREAM_STATE, _Code.SCHEMA_MISMATCH_EXTRA_FIELDS)
)


class Appended(Enum):
    """What became of a batch."""

    WRITTEN = "written"
    THERE = "there"  # the stream has these rows already
    BEYOND = "beyond"  # the stream ends before the offset: rows before it are missing
    ENDED = "ended"  # the stream takes no rows any more, or none with these columns


class Stream:
    """A write stream and the connection to it, one batch at a time."""

    def __init__(
        self, append: Any, stream: str, row: descriptor_pb2.DescriptorProto, where: Where, deadline: float
    ) -> None:
        self._append, self.name, self._row = append, stream, row
        self._where, self._deadline = where, deadline
        self._requests: SimpleQueue[Any] = SimpleQueue()
        self._call: Any = None

    def append(self, offset: int | None, rows: list[bytes]) -> Appended:
        """Send one batch to its place, and tell what became of it; raise `ExportRefused` or `Unreachable`.

        Without an offset it goes to the end, whether it was sent before or not.
        """
        try:
            answer = self._asked(self._request(offset, rows))
        except grpc.RpcError as error:
            self.close()
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return Appended.ENDED
            if error.code() is grpc.StatusCode.CANCELLED:
                why = f"BigQuery gave no answer within {self._deadline:g} seconds, so as to {self._deed}."
                raise Unreachable(why) from error
            raise self._where.told(_FROM_CALL(error), self._deed) from error
        except StopIteration as error:
            self.close()
            raise Unreachable(f"BigQuery closed the connection without an answer, so as to {self._deed}.") from error
        if not answer.error.code:
            return Appended.WRITTEN
        if known := _known(answer.error):
            return known
        raise self._where.told(_FROM_STATUS(answer.error.code, _reason(answer)), self._deed)

    def close(self) -> None:
        """Let go of the connection; the next batch makes another."""
        self._requests.put(None)
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._requests = SimpleQueue()

    @property
    def _deed(self) -> str:
        return f"append rows to {self.name.split('/')[5]}"

    def _request(self, offset: int | None, rows: list[bytes]) -> types.AppendRowsRequest:
        data = types.AppendRowsRequest.ProtoData(rows=types.ProtoRows(serialized_rows=rows))
        if self._call is None:  # the first of a connection says how to read them
            data.writer_schema = types.ProtoSchema(proto_descriptor=self._row)
        return types.AppendRowsRequest(write_stream=self.name, offset=offset, proto_rows=data, trace_id="opsplane")

    def _asked(self, request: types.AppendRowsRequest) -> types.AppendRowsResponse:
        """The answer to one request; the call is cancelled at the deadline."""
        if self._call is None:  # the client's own wrapper would try again for a day
            routing = (("x-goog-request-params", f"write_stream={self.name}"),)
            self._call = self._append(iter(self._requests.get, None), metadata=routing)
        timer = threading.Timer(self._deadline, self._call.cancel)
        timer.start()
        try:
            self._requests.put(request)
            answer: types.AppendRowsResponse = next(self._call)
        finally:
            timer.cancel()
        return answer


class Streams:
    """Makes, ends and opens write streams."""

    stream = Stream

    def __init__(self, cloud: Cloud, where: Where, deadline: float) -> None:
        self._where, self._deadline = where, deadline
        transport = _transport(cloud)
        self._append = transport.append_rows
        self._close: Any = transport.close
        self._client = BigQueryWriteClient(transport=transport)

    def begin(self, table: Table) -> str:
        """A new committed stream of a table, by its name."""
        where = self._where
        parent = f"projects/{where.project}/datasets/{where.dataset}/tables/{table.name}"
        wanted = types.WriteStream(type_=types.WriteStream.Type.COMMITTED)
        with where.translated(f"begin a write stream of {table.name}"):
            made = self._client.create_write_stream(
                parent=parent, write_stream=wanted, retry=None, timeout=self._deadline
            )
        return str(made.name)

    def end(self, stream: str) -> None:
        """Take care that nothing more is written by a stream, also nothing that is still on its way."""
        try:
            with self._where.translated("end a write stream"):
                self._client.finalize_write_stream(name=stream, retry=None, timeout=self._deadline)
        except ExportRefused:  # gone, or ended before: what it was asked for holds
            return

    def open(self, stream: str, table: Table) -> Stream:
        """A stream to append to; connects with the first batch."""
        return self.stream(self._append, stream, descriptor(table), self._where, self._deadline)

    def close(self) -> None:
        """Let go of the channel."""
        self._close()


def serialised(table: Table, rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Rows as the API takes them; what is None is left out."""
    made = _message(table.name, table.columns)
    for row in rows:
        yield made(**{name: value for name, value in row.items() if value is not None}).SerializeToString()


def descriptor(table: Table) -> descriptor_pb2.DescriptorProto:
    """How the rows of a table are written."""
    row = descriptor_pb2.DescriptorProto(name="Row")
    for number, column in enumerate(table.columns, 1):
        label = _FIELD.LABEL_REPEATED if column.mode == "REPEATED" else _FIELD.LABEL_OPTIONAL
        row.field.add(name=column.name, number=number, type=_TYPES[column.type], label=label)
    return row


@lru_cache(maxsize=64)
def _message(name: str, columns: tuple[Column, ...]) -> Any:
    pool = descriptor_pool.DescriptorPool()
    row = descriptor(Table(name, "", columns, (), Kinds(())))
    pool.Add(descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", syntax="proto2", message_type=[row]))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Row"))


def _known(error: Any) -> Appended | None:
    """What an error in an answer means for the stream, or None where it is a real one."""
    code = storage_code(error)
    if error.code == Code.ALREADY_EXISTS or code is _Code.OFFSET_ALREADY_EXISTS:
        return Appended.THERE
    if error.code == Code.OUT_OF_RANGE or code is _Code.OFFSET_OUT_OF_RANGE:
        return Appended.BEYOND
    ended = error.code in (Code.NOT_FOUND, Code.FAILED_PRECONDITION) or code in _ENDINGS
    return Appended.ENDED if ended else None


def storage_code(status: Any) -> Any:
    """The storage error code in a status' details, or None."""
    for detail in status.details:
        found = types.StorageError.pb()()
        if detail.Unpack(found):
            return _Code(found.code)
    return None


def _reason(answer: types.AppendRowsResponse) -> str:
    rows = "; ".join(f"row {one.index}: {one.message}" for one in answer.row_errors[:3])
    return f"{answer.error.message} {rows}".strip()


def _transport(cloud: Cloud) -> BigQueryWriteGrpcTransport:
    """A channel to Google with the credentials, or without either to a server on this machine."""
    target = cloud.address("bigquery_write").rpartition("//")[2]
    if target and urlsplit(f"//{target}").hostname in _LOOPBACK:
        return BigQueryWriteGrpcTransport(channel=grpc.insecure_channel(target, options=_OPTIONS))
    host = target or BigQueryWriteClient.DEFAULT_ENDPOINT
    return BigQueryWriteGrpcTransport(host=host, credentials=cloud.login())
