"""BigQuery's Storage Write API on this machine, over the emulator's tables: committed streams with offsets.

The emulator's own one moves a stream's end before the rows are in, drops columns that a table lacks, and knows a new
column only in its catalogue. This one takes a batch whole or not at all, and fails on demand.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import grpc  # type: ignore[import-untyped]
import pyarrow as pa  # type: ignore[import-untyped]
from bqemulator.api.routes.tabledata import _build_arrow_schema
from bqemulator.storage.sql_identifiers import quoted_table_ref
from bqemulator.streaming.proto_deserializer import ProtoRowDecoder, proto_rows_to_arrow_table
from google.cloud.bigquery_storage_v1 import types
from google.rpc import status_pb2  # type: ignore[import-untyped]

_SERVICE = "/google.cloud.bigquery.storage.v1.BigQueryWrite/"
_Code = types.StorageError.StorageErrorCode
MOST_BYTES = 10 * 1024 * 1024
LOST, UNAVAILABLE, DENIED, HANGS = "lost", "unavailable", "denied", "hangs"
FINALISED, GONE, FORGETS, KILL_BEFORE, KILL_AFTER = "finalised", "gone", "forgets", "kill before", "kill after"
APPENDS = (LOST, UNAVAILABLE, DENIED, HANGS, FINALISED, GONE, FORGETS, KILL_BEFORE, KILL_AFTER)
"""What can befall an append: its answer is lost, it is refused, the stream ends, the sender dies before or after."""
_ABORTS = {
    UNAVAILABLE: (grpc.StatusCode.UNAVAILABLE, "The service is currently unavailable."),
    DENIED: (grpc.StatusCode.PERMISSION_DENIED, "Permission 'TABLES_UPDATE_DATA' denied on resource '{}'."),
    GONE: (grpc.StatusCode.NOT_FOUND, "Requested entity was not found. Entity: {}"),
}


@dataclass
class Fault:
    """One fault, `times` over; `after` appends of its sort are let by first."""

    kind: str
    times: int = 1
    after: int = 0
    pid: int = 0  # of the sender that is killed
    where: str = ""  # part of the path or of the stream's name
    status: int = 0
    message: str = ""
    since: str = ""


@dataclass
class Faults:
    """The faults in force."""

    rules: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, kinds: tuple[str, ...], where: str) -> Fault | None:
        """The first fault of these kinds that fits, used up by one."""
        with self.lock:
            for rule in self.rules:
                if rule.kind not in kinds or rule.times < 1 or rule.where not in where:
                    continue
                if rule.after:
                    rule.after -= 1
                    continue
                rule.times -= 1
                return rule
        return None


@dataclass
class Written:
    """A committed stream: where it ends, and the rows that came last."""

    name: str
    table: tuple[str, str, str]
    end: int = 0
    finalised: bool = False
    last: Any = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Refused(Exception):
    """An append that is not taken: its code, a storage error code, and why."""

    def __init__(self, code: Any, storage: Any, message: str) -> None:
        super().__init__(message)
        self.code, self.storage, self.message = code, storage, message


class WriteService(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The four methods that committed streams need."""

    def __init__(self, catalog: Any, cursor: Callable[[], Any], faults: Faults) -> None:
        self._catalog, self._cursor, self._faults = catalog, cursor, faults
        self._streams: dict[str, Written] = {}
        self.appends = 0

    def service(self, details: Any) -> Any:
        """The handler of a method."""
        unary: dict[str, tuple[Any, Any, Any]] = {
            "CreateWriteStream": (self._create, types.CreateWriteStreamRequest, types.WriteStream),
            "GetWriteStream": (self._get, types.GetWriteStreamRequest, types.WriteStream),
            "FinalizeWriteStream": (
                self._finalise,
                types.FinalizeWriteStreamRequest,
                types.FinalizeWriteStreamResponse,
            ),
        }
        method = details.method.removeprefix(_SERVICE)
        if method == "AppendRows":
            read, write = types.AppendRowsRequest.deserialize, types.AppendRowsResponse.serialize
            return grpc.stream_stream_rpc_method_handler(self._append_all, read, write)
        if method not in unary:
            return None
        deed, asked, told = unary[method]
        return grpc.unary_unary_rpc_method_handler(deed, asked.deserialize, told.serialize)

    def _create(self, request: Any, context: Any) -> Any:
        _, project, _, dataset, _, table = request.parent.split("/")
        if self._catalog.get_table(project, dataset, table) is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Not found: Table {project}:{dataset}.{table}")
        if request.write_stream.type_ != types.WriteStream.Type.COMMITTED:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "only committed streams are made here")
        made = Written(f"{request.parent}/streams/{token_hex(8)}", (project, dataset, table))
        self._streams[made.name] = made
        return types.WriteStream(name=made.name, type_=types.WriteStream.Type.COMMITTED)

    def _get(self, request: Any, context: Any) -> Any:
        self._find(request.name, context)
        return types.WriteStream(name=request.name, type_=types.WriteStream.Type.COMMITTED)

    def _finalise(self, request: Any, context: Any) -> Any:
        stream = self._find(request.name, context)
        with stream.lock:
            stream.finalised = True
        return types.FinalizeWriteStreamResponse(row_count=stream.end)

    def _find(self, name: str, context: Any) -> Written:
        if name not in self._streams:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Requested entity was not found. Entity: {name}")
        return self._streams[name]

    def _append_all(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        decoder: ProtoRowDecoder | None = None
        for request in requests:
            stream = self._find(request.write_stream, context)
            if request.proto_rows.writer_schema:
                decoder = ProtoRowDecoder(request.proto_rows.writer_schema.proto_descriptor)
            fault = self._faults.take(APPENDS, stream.name)
            self._before(fault, stream, context)
            try:
                offset = self._append(stream, decoder, request)
            except Refused as refusal:
                yield _told(stream, refusal)
                continue
            self.appends += 1
            if fault and fault.kind == KILL_AFTER:
                os.kill(fault.pid, signal.SIGKILL)
            if fault and fault.kind == LOST:
                context.abort(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer")
            yield types.AppendRowsResponse(
                write_stream=stream.name, append_result=types.AppendRowsResponse.AppendResult(offset=offset)
            )

    def _before(self, fault: Fault | None, stream: Written, context: Any) -> None:
        """What befalls an append before it is looked at."""
        kind = fault.kind if fault else ""
        if fault and kind == KILL_BEFORE:
            os.kill(fault.pid, signal.SIGKILL)
        elif kind == FINALISED:
            stream.finalised = True
        elif kind == FORGETS:
            self._forget(stream)
        elif kind == HANGS:
            while context.is_active():
                threading.Event().wait(0.02)
        elif kind in _ABORTS:
            if kind == GONE:
                del self._streams[stream.name]
            code, why = _ABORTS[kind]
            context.abort(code, why.format(stream.name))

    def _append(self, stream: Written, decoder: ProtoRowDecoder | None, request: Any) -> int:
        """Write a batch at its offset, or raise `Refused`."""
        rows = list(request.proto_rows.rows.serialized_rows)
        if sum(map(len, rows)) > MOST_BYTES or decoder is None:
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, 0, "the request is too large, or has no schema")
        table = self._catalog.get_table(*stream.table)
        fields = [{"name": one.name, "type": one.type, "mode": one.mode} for one in table.schema_.fields]
        if extra := set(decoder.field_names) - {one["name"] for one in fields}:
            message = f"Input schema has more fields than BigQuery schema, extra fields: '{', '.join(sorted(extra))}'"
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, _Code.SCHEMA_MISMATCH_EXTRA_FIELDS, message)
        made = proto_rows_to_arrow_table(decoder, rows, _build_arrow_schema(fields))
        _required(made, fields)
        with stream.lock:
            offset = stream.end if request.offset is None else int(request.offset)  # without one: at its end
            _fits(stream, offset)
            self._insert(stream.table, made)
            stream.end += made.num_rows
            stream.last = made
        return offset

    def _insert(self, table: tuple[str, str, str], rows: pa.Table) -> None:
        cursor = self._cursor()
        cursor.register("arriving", rows)
        names = ", ".join(f'"{name}"' for name in rows.column_names)
        cursor.execute(f"INSERT INTO {quoted_table_ref(*table)} ({names}) SELECT {names} FROM arriving")
        cursor.close()

    def _forget(self, stream: Written) -> None:
        """The last batch was never there after all."""
        if stream.last is None:
            return
        ledger, seqs = stream.last["ledger"][0].as_py(), stream.last["seq"].to_pylist()
        cursor = self._cursor()
        cursor.execute(
            f"DELETE FROM {quoted_table_ref(*stream.table)} WHERE ledger = ? AND seq BETWEEN ? AND ?",
            [ledger, min(seqs), max(seqs)],
        )
        cursor.close()
        stream.end -= stream.last.num_rows
        stream.last = None


def _fits(stream: Written, offset: int) -> None:
    if stream.finalised:
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT, _Code.STREAM_FINALIZED, "Stream has been finalized.")
    if offset < stream.end:
        message = f"The offset is within stream, expected offset {stream.end}, received {offset}"
        raise Refused(grpc.StatusCode.ALREADY_EXISTS, _Code.OFFSET_ALREADY_EXISTS, message)
    if offset > stream.end:
        message = f"The offset is beyond stream, expected offset {stream.end}, received {offset}"
        raise Refused(grpc.StatusCode.OUT_OF_RANGE, _Code.OFFSET_OUT_OF_RANGE, message)


def _required(rows: pa.Table, fields: list[dict[str, str]]) -> None:
    for one in fields:
        if one["mode"] == "REQUIRED" and rows[one["name"]].null_count:
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, 0, f"Field {one['name']} is required and has no value.")


def _told(stream: Written, refusal: Refused) -> Any:
    status = status_pb2.Status(code=refusal.code.value[0], message=refusal.message)
    if refusal.storage:
        detail = types.StorageError(code=refusal.storage, entity=stream.name, error_message=refusal.message)
        status.details.add().Pack(types.StorageError.pb(detail))
    return types.AppendRowsResponse(write_stream=stream.name, error=status)


def serve(service: WriteService, port: int = 0) -> tuple[Any, int]:
    """A gRPC server on loopback, and its port."""
    size = [(f"grpc.max_{way}_message_length", 2 * MOST_BYTES) for way in ("send", "receive")]
    server = grpc.server(ThreadPoolExecutor(64), handlers=(service,), options=size)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, int(bound)
