"""The local BigQuery does as the real one does: batches whole or not at all, each at its offset."""

from collections.abc import Callable, Iterator

import grpc  # type: ignore[import-untyped]
import pytest
from google.cloud.bigquery_storage_v1 import types
from google.cloud.bigquery_storage_v1.services.big_query_write import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto  # type: ignore[import-untyped]

from assistant.bigquery import Warehouse
from assistant.bigquery_tables import Column, Table
from assistant.bigquery_writer import serialised
from assistant.cloud import Cloud
from opsplane.ledger.outbox import Kinds
from tests.vertex.bigquery import Local, local
from tests.vertex.cloud import PROJECT

COLUMNS = Column("day", "DATE", "", "REQUIRED"), Column("seq", "INT64", "", "REQUIRED")
SMALL = Table("small", "", COLUMNS, (), Kinds(()))
Append = Callable[..., types.AppendRowsResponse]


@pytest.fixture(scope="module")
def server() -> Iterator[Local]:
    with local() as opened:
        yield opened


@pytest.fixture
def warehouse(server: Local) -> Iterator[Warehouse]:
    addresses = {"bigquery": server.url, "bigquery_write": server.write}
    cloud = Cloud(project=PROJECT, credentials="none", anywhere=server.url, addresses=addresses)
    opened = Warehouse(cloud, server.dataset(), 5, 10)
    opened.ensure(SMALL)
    yield opened
    opened.close()


@pytest.fixture
def client(server: Local) -> Iterator[BigQueryWriteClient]:
    with BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=grpc.insecure_channel(server.write))) as made:
        yield made


@pytest.fixture
def append(client: BigQueryWriteClient, warehouse: Warehouse) -> Append:
    """Appends so many rows to one new stream, at an offset; the raw answer."""
    name = warehouse.streams.begin(SMALL)

    def send(offset: int | None, rows: int, columns: tuple[Column, ...] = COLUMNS) -> types.AppendRowsResponse:
        table = Table("small", "", columns, (), Kinds(()))
        kinds = {"DATE": FieldDescriptorProto.TYPE_INT32, "INT64": FieldDescriptorProto.TYPE_INT64}
        described = DescriptorProto(name="Row")
        for number, one in enumerate(columns, 1):
            described.field.add(name=one.name, number=number, type=kinds[one.type], label=1)
        values = ({one.name: number for one in columns} for number in range(rows))
        data = types.AppendRowsRequest.ProtoData(
            writer_schema=types.ProtoSchema(proto_descriptor=described),
            rows=types.ProtoRows(serialized_rows=list(serialised(table, values))),
        )
        request = types.AppendRowsRequest(write_stream=name, offset=offset, proto_rows=data)
        answers = client.append_rows(iter([request]), retry=None, timeout=5)
        return next(iter(answers))

    send.stream = name  # type: ignore[attr-defined]
    return send


def rows(warehouse: Warehouse) -> int:
    (found,) = warehouse.rows("count", f"SELECT COUNT(*) AS n FROM `{warehouse.name('small')}`")
    return int(found["n"])


def test_rows_are_there_at_once_and_a_second_time_refused(append: Append, warehouse: Warehouse) -> None:
    assert append(0, 3).append_result.offset == 0
    assert rows(warehouse) == 3
    for offset, many in ((0, 3), (0, 9), (2, 1)):  # also where only a part is there
        assert append(offset, many).error.code == grpc.StatusCode.ALREADY_EXISTS.value[0]
    assert append(3, 2).append_result.offset == 3
    assert append(None, 1).append_result.offset == 5
    assert rows(warehouse) == 6


def test_a_gap_is_out_of_range(append: Append, warehouse: Warehouse) -> None:
    assert append(4, 1).error.code == grpc.StatusCode.OUT_OF_RANGE.value[0]
    assert rows(warehouse) == 0


def test_a_stream_that_was_ended_takes_nothing_more(
    append: Append, client: BigQueryWriteClient, warehouse: Warehouse
) -> None:
    append(0, 2)
    name = append.stream  # type: ignore[attr-defined]
    assert client.finalize_write_stream(name=name, retry=None, timeout=5).row_count == 2
    assert append(2, 1).error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert rows(warehouse) == 2


def test_columns_that_are_too_many_or_missing_are_refused_and_move_nothing(
    append: Append, warehouse: Warehouse
) -> None:
    assert "extra fields: 'more'" in append(0, 1, (*COLUMNS, Column("more", "INT64", ""))).error.message
    assert "Field seq is required" in append(0, 1, COLUMNS[:1]).error.message
    assert append(0, 1).append_result.offset == 0
    assert rows(warehouse) == 1


def test_faults_come_when_they_are_told_to_and_end(append: Append, server: Local) -> None:
    server.fault("unavailable", after=1)
    append(0, 1)
    with pytest.raises(Exception, match="currently unavailable"):
        append(1, 1)
    assert server.unused() == 0
    assert append(1, 1).append_result.offset == 1
