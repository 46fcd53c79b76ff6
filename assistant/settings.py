"""What a configuration file and the environment decide, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from assistant import configuration
from assistant.cloud import SERVICES, Cloud
from opsplane.errors import InvalidRequest

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Settings:
    """Every setting, its default, and the variable that overrides it (OPSPLANE_ and the name in capitals)."""

    data: Path = Path(".data")  # everything that is written: the record, chat history, indexes, keys
    corpus: Path = _HERE.parent / "knowledge" / "corpus"  # documents ingested at start
    sources: str = ""  # others instead, with commas: folders, gs://bucket/folder, git+https://…; empty: `corpus`
    releases: Path = _HERE / "releases"  # release files
    datasets: Path = _HERE.parent / "tests"  # folders and files of cases: golden, redteam …
    release: str = "heron-6"  # the release that serves customers until operators decide otherwise
    plans: Path = _HERE / "plans"  # rollout plans
    policy: Path = _HERE.parent / "opsplane" / "policy.yaml"  # what needs a second person
    record_url: str = ""  # SQLAlchemy URL of the record; empty: record.db under `data`
    chat_url: str = ""  # of people and chat history; empty: chat.db under `data`
    bank_url: str = ""  # of the sample bank's accounts; empty: bank.db under `data`
    keys_url: str = ""  # of customers' keys; empty: keys.db under `data`, or the record's PostgreSQL
    keys: str = ""  # the installation's keys: a key file or Cloud KMS; empty: keys/record.key under `data`
    kms_endpoint: str = ""  # address of Cloud KMS, where it is not Google's own
    anchor: str = ""  # folder of checkpoints outside the database; empty: anchor under `data`
    checkpoint_seconds: int = 300  # between two signed checkpoints, also when nothing happens
    timestamp_url: str = ""  # an RFC 3161 time-stamping authority for checkpoints; empty: none
    budgets: Path = _HERE.parent / "opsplane" / "budgets.yaml"  # what may be spent
    judge: str = "embedded"  # who scores live answers and runs: embedded, or provider:model, several with commas
    schedule: bool = True  # judge live answers, watch quality and run the golden set while the product serves
    golden_minutes: int = 60  # between two runs of the golden set while the product serves; 0: never
    metrics: bool = False  # serve /metrics to a Prometheus on this machine
    alert_email: str = ""  # an smtp:// address with from= and to= that is told the same; empty: nobody
    alert_url: str = ""  # a web hook that is told what the service did by itself; empty: the log alone
    review_percent: int = 5  # share of answers that reviewers are given by chance
    handover_minutes: int = 30  # a customer waits so long for a person before being told how else to reach one
    large_change: int = 50  # percent of an index; what changes more is built as another index beside it
    watch_seconds: int = 0  # between two looks at the sources while the product serves; 0: only at its start
    bank: str = "assistant.sample_bank:SampleBank.open"  # module:function that opens the bank's accounts
    timezone: str = "America/New_York"  # whose calendar day decides which documents are in force
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""  # the address people use, where a proxy stands in front
    demo: bool = False  # create and show the demo people
    log_level: str = "WARNING"
    log_format: str = "text"  # or json, one object a line with the trace's id
    google_project: str = ""  # the project of Google Cloud that models, indexes and exports are in; empty: no cloud
    google_location: str = "us-central1"  # the region that is asked first
    google_other_locations: str = ""  # regions that are asked where that one fails, in this order, with commas
    google_credentials: str = ""  # empty: those of the place (ADC); a key file; or none, for servers on this machine
    google_endpoint: str = ""  # one address for all of Google's services: a gateway or the local server
    gemini_endpoint: str = ""  # addresses of single services: private endpoints; they go before that
    gemini_api_version: str = ""  # of the models' interface; empty: the client's own
    vector_endpoint: str = ""
    search_endpoint: str = ""
    armor_endpoint: str = ""
    bigquery_endpoint: str = ""
    bigquery_write_endpoint: str = ""  # of the Storage Write API, which speaks gRPC: host:port
    storage_endpoint: str = ""
    monitoring_endpoint: str = ""
    index_store: str = "chroma"  # where vectors are searched: chroma, vertex (Vector Search 1.0) or vertex-collections
    index_machine: str = "e2-standard-2"  # that a Vector Search index is deployed on
    bigquery_dataset: str = ""  # that the record is exported to; empty: no export
    bigquery_words: bool = False  # masked questions and answers are exported too, to a table of their own
    otlp_endpoint: str = ""  # an OpenTelemetry collector over HTTP; empty: none
    cloud_monitoring: bool = False  # metrics go to Google Cloud Monitoring

    @property
    def zone(self) -> ZoneInfo:
        """The bank's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def anchor_folder(self) -> Path:
        """Where checkpoints are kept outside the database."""
        return Path(self.anchor) if self.anchor else self.data / "anchor"

    @property
    def cloud(self) -> Cloud:
        """Google Cloud as it is set up here."""
        return Cloud(
            project=self.google_project,
            location=self.google_location,
            others=tuple(one for one in (part.strip() for part in self.google_other_locations.split(",")) if one),
            credentials=self.google_credentials,
            api_version=self.gemini_api_version,
            anywhere=self.google_endpoint,
            addresses={service: str(getattr(self, f"{service}_endpoint")) for service in SERVICES},
        )

    def database(self, name: str) -> str:
        """The URL of one of the databases: `record`, `keys`, `chat` or `bank`."""
        given: str = getattr(self, f"{name}_url")
        if not given and name == "keys" and self.record_url.startswith("postgresql"):
            return self.record_url
        return given or f"sqlite:///{self.data / name}.db"


def from_environment(environ: Mapping[str, str], config: Path | None = None, **overrides: object) -> Settings:
    """Read a configuration file, then OPSPLANE_* variables, which win; `overrides` that are not None win over both.

    The file is `config`, or else what OPSPLANE_CONFIG names. Raises `InvalidRequest` naming the variable, or the file
    and the setting.
    """
    fields, given = Settings.__dataclass_fields__, environ.get("OPSPLANE_CONFIG", "")
    file = config or (Path(given) if given else None)
    said = configuration.read(file, fields) if file else {}
    values = {name: _read(name, text, f"{file}: {name}") for name, text in said.items()}
    for name in fields:
        variable = f"OPSPLANE_{name.upper()}"
        if variable in environ:
            values[name] = _read(name, environ[variable], variable)
    values |= {name: value for name, value in overrides.items() if value is not None}
    settings = Settings(**values)  # type: ignore[arg-type]  # every value was read by its field's type
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidRequest(f"OPSPLANE_TIMEZONE: {settings.timezone!r} is not a time zone") from error
    settings.cloud.check()
    return settings


def _read(name: str, given: str, where: str) -> object:
    """A value as its field has it; `where` it was said, for who has to mend it."""
    default = Settings.__dataclass_fields__[name].default
    if isinstance(default, bool):
        if given.lower() not in _SWITCH:
            raise InvalidRequest(f"{where}: {given!r} is neither 1 nor 0")
        return _SWITCH[given.lower()]
    if isinstance(default, int):
        least, most = _BOUNDS[name]
        if not given.isdecimal() or not least <= int(given) <= most:
            raise InvalidRequest(f"{where}: {given!r} is not a whole number from {least} to {most}")
        return int(given)
    if name in _CHOICES and given not in _CHOICES[name]:
        raise InvalidRequest(f"{where}: {given!r} is none of {', '.join(_CHOICES[name])}")
    return Path(given) if isinstance(default, Path) else given


_BOUNDS = {
    "port": (0, 65_535),
    "checkpoint_seconds": (1, 86_400),
    "review_percent": (0, 100),
    "handover_minutes": (1, 1440),
    "large_change": (1, 100),
    "watch_seconds": (0, 86_400),
    "golden_minutes": (0, 10_080),
}
_CHOICES = {"index_store": ("chroma", "vertex", "vertex-collections"), "log_format": ("text", "json")}
_SWITCH = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
    "": False,
}
