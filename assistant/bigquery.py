"""The one door to BigQuery's tables, views and SQL. Every call has a deadline: the client's own tries last too long."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud import bigquery

from assistant.bigquery_errors import ExportRefused, Where
from assistant.bigquery_tables import Column, Table, View
from assistant.bigquery_writer import Streams
from assistant.cloud import Cloud
from opsplane.errors import InvalidRequest

CALL_SECONDS = 30.0
"""So long one call may take, with its further tries."""
QUERY_SECONDS = 300.0
"""So long a statement may take: an UPDATE of a large table."""
_NAME = re.compile(r"[A-Za-z0-9_]{1,1024}")
_SAME = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


class Made(Enum):
    """What had to be done so that a table is as it must be."""

    NOTHING = "nothing"
    CREATED = "created"
    WIDENED = "widened"  # columns were added


class Warehouse:
    """A dataset of a project. Raises `InvalidRequest` where it is not set up, and else as `bigquery_errors` says."""

    def __init__(
        self, cloud: Cloud, dataset: str, call_seconds: float = CALL_SECONDS, query_seconds: float = QUERY_SECONDS
    ) -> None:
        if not cloud.project:
            raise InvalidRequest("OPSPLANE_GOOGLE_PROJECT: say which project the dataset is in")
        if not _NAME.fullmatch(dataset):
            raise InvalidRequest(f"OPSPLANE_BIGQUERY_DATASET: {dataset!r} is no dataset's name")
        cloud.check()
        address = cloud.address("bigquery")
        self._where = Where(cloud.project, dataset, address)
        self._call, self._query = call_seconds, query_seconds
        self._retry = bigquery.DEFAULT_RETRY.with_timeout(call_seconds)
        options = ClientOptions(api_endpoint=address) if address else None
        self._client = bigquery.Client(project=cloud.project, credentials=cloud.login(), client_options=options)
        written = Where(cloud.project, dataset, cloud.address("bigquery_write"), "OPSPLANE_BIGQUERY_WRITE_ENDPOINT")
        self.streams = Streams(cloud, written, call_seconds)
        self._location: str | None = None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()  # type: ignore[no-untyped-call]
        self.streams.close()

    def name(self, table: str) -> str:
        """The full name of a table or view."""
        return f"{self._where.project}.{self._where.dataset}.{table}"

    def region(self) -> str:
        """Where the dataset is; raise `ExportRefused` where there is none."""
        if self._location is None:
            with self._where.translated(f"read dataset {self._where.dataset}"):
                found = self._client.get_dataset(self._where.dataset, retry=self._retry, timeout=self._call)
            self._location = str(found.location or "")
        return self._location

    def lacks(self, table: Table) -> tuple[str, ...] | None:
        """The columns that a table lacks, None where there is no table; raise `ExportRefused` for one that is wrong."""
        found = self._found(table)
        return None if found is None else tuple(one.name for one in missing(table, found.schema))

    def ensure(self, table: Table) -> Made:
        """Make a table, or add the columns that it lacks; raise `ExportRefused` naming a column of another type."""
        found = self._found(table)
        if found is None:
            return self._create(table)
        columns = missing(table, found.schema)
        if not columns:
            return Made.NOTHING
        found.schema = [*found.schema, *(_field(one, added=True) for one in columns)]
        with self._where.translated(f"add columns to table {table.name}"):
            self._client.update_table(found, ["schema"], retry=self._retry, timeout=self._call)
        return Made.WIDENED

    def show(self, view: View, tables: Sequence[Table]) -> str:
        """Make or renew a view; its full name."""
        sql = view.sql.format(**{table.name: f"`{self.name(table.name)}`" for table in tables}).strip()
        wanted = bigquery.Table(self.name(view.name))
        wanted.view_query, wanted.description = sql, view.description
        with self._where.translated(f"make the view {view.name}"):
            try:
                self._client.create_table(wanted, retry=self._retry, timeout=self._call)
            except exceptions.Conflict:
                self._client.update_table(wanted, ["view_query", "description"], retry=self._retry, timeout=self._call)
        return self.name(view.name)

    def rows(self, deed: str, sql: str, **values: object) -> list[dict[str, Any]]:
        """The rows of a query; tables are named as {exchanges}."""
        return [dict(row) for row in self._run(deed, sql, values)[1]]

    def change(self, deed: str, sql: str, **values: object) -> int:
        """Carry a statement out; how many rows it changed. Raises `StillBuffered` where those are too new."""
        return self._run(deed, sql, values)[0].num_dml_affected_rows or 0

    def _run(self, deed: str, sql: str, values: Mapping[str, object]) -> Any:
        config = bigquery.QueryJobConfig(
            query_parameters=[_parameter(name, value) for name, value in values.items()],
            job_timeout_ms=int(self._query * 1000),
            use_query_cache=False,
        )
        region = self.region() or None
        with self._where.translated(deed):
            job = self._client.query(
                sql, config, location=region, retry=self._retry, timeout=self._call, job_retry=None
            )
            found = job.result(retry=self._retry, timeout=self._query, job_retry=None)
        return job, found

    def _found(self, table: Table) -> bigquery.Table | None:
        self.region()  # tells a dataset that is not there from a table that is not
        with self._where.translated(f"read table {table.name}"):
            try:
                found = self._client.get_table(self.name(table.name), retry=self._retry, timeout=self._call)
            except exceptions.NotFound:
                return None
        if found.table_type != "TABLE":
            raise ExportRefused(f"{self.name(table.name)} is no table but a {found.table_type.lower()}: move it away.")
        return found

    def _create(self, table: Table) -> Made:
        wanted = bigquery.Table(self.name(table.name), schema=[_field(one) for one in table.columns])
        wanted.description = table.description
        wanted.time_partitioning = bigquery.TimePartitioning(field="day")
        wanted.clustering_fields = list(table.clustered)
        wanted.require_partition_filter = table.filtered
        with self._where.translated(f"create table {table.name}"):
            self._client.create_table(wanted, retry=self._retry, timeout=self._call)
        return Made.CREATED


def missing(table: Table, there: Sequence[bigquery.SchemaField]) -> tuple[Column, ...]:
    """The columns that a table lacks; raise `ExportRefused` naming one that cannot take what is sent to it."""
    known = {one.name.lower(): one for one in there}
    for column in table.columns:
        found = known.pop(column.name, None)
        if found is None:
            continue
        kind = _SAME.get(found.field_type, found.field_type)
        if kind != column.type or (found.mode == "REPEATED") != (column.mode == "REPEATED"):
            wanted = f"{column.type} {column.mode}".replace(" NULLABLE", "")
            raise ExportRefused(
                f"Column {column.name} of table {table.name} is {kind} {found.mode} in BigQuery and must be {wanted}: "
                "rename the table, or export into another dataset (OPSPLANE_BIGQUERY_DATASET)."
            )
    for other in known.values():
        if other.mode == "REQUIRED" and other.name not in {one.name for one in table.columns}:
            raise ExportRefused(
                f"Column {other.name} of table {table.name} is REQUIRED in BigQuery and the export has nothing for it: "
                "make it NULLABLE."
            )
    names = {one.name.lower() for one in there}
    return tuple(column for column in table.columns if column.name not in names)


def _field(column: Column, *, added: bool = False) -> bigquery.SchemaField:
    """A column of the schema; one that is added to a table cannot be required."""
    mode = "NULLABLE" if added and column.mode == "REQUIRED" else column.mode
    return bigquery.SchemaField(column.name, column.type, mode=mode, description=column.description)


def _parameter(name: str, value: object) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    match value:
        case bool() | float():
            raise TypeError(f"{name}: no parameter is of this type")
        case int():
            return bigquery.ScalarQueryParameter(name, "INT64", value)
        case datetime():
            return bigquery.ScalarQueryParameter(name, "TIMESTAMP", value)
        case str():
            return bigquery.ScalarQueryParameter(name, "STRING", value)
        case _:
            return bigquery.ArrayQueryParameter(name, "STRING", list(value))  # type: ignore[call-overload]  # of text
