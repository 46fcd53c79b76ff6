"""What the doctor asks of Google Cloud: who signs in, and whether every model answers in every region."""

from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial

import httpx
from google import genai
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.genai import types
from google.genai.errors import APIError

from assistant import doctor_local
from assistant.bigquery import Warehouse
from assistant.bigquery_tables import TABLES
from assistant.cloud import NOBODY, Cloud
from assistant.doctor import Doubt, Probe
from assistant.settings import Settings
from opsplane.errors import InvalidRelease, InvalidRequest
from opsplane.release import Release

Clock = Callable[[], datetime]
GOOGLES = ("google_genai", "google_vertexai")
_SECONDS = 8


def probes(settings: Settings, clock: Clock) -> Iterator[Probe]:
    """What there is to ask where a project is set up; nothing where there is none."""
    cloud = settings.cloud
    if not cloud.project:
        yield from _forgotten(settings)
        return
    yield Probe("Google: credentials", partial(_credentials, cloud))
    for name in _models(settings):
        for place, location in enumerate(cloud.locations):
            look = partial(_model, cloud, name, location, clock, "OTHER_" * bool(place))
            yield Probe(f"Gemini: {name} in {location}", look)
    if settings.bigquery_dataset:
        yield Probe("BigQuery", partial(_bigquery, settings))


def _forgotten(settings: Settings) -> Iterator[Probe]:
    """Settings that mean nothing without a project."""
    wants = [
        variable
        for variable, given in (
            ("OPSPLANE_BIGQUERY_DATASET", settings.bigquery_dataset),
            ("OPSPLANE_CLOUD_MONITORING", settings.cloud_monitoring),
            ("OPSPLANE_INDEX_STORE", settings.index_store != "chroma"),
        )
        if given
    ]
    if wants:
        yield Probe("Google: project", partial(_absent, ", ".join(wants)))


def _absent(wants: str) -> str:
    raise InvalidRequest(f"OPSPLANE_GOOGLE_PROJECT is not set, and {wants} needs it")


def _models(settings: Settings) -> list[str]:
    """Google's models that the configured release names, without their provider."""
    try:
        release = doctor_local.chosen(settings)
    except InvalidRelease:  # another probe says so
        return []
    return list(dict.fromkeys(_googles(release)))


def _googles(release: Release) -> Iterator[str]:
    models = release.models
    for one in (models.flash, models.pro, models.judge):
        provider, _, name = one.name.partition(":") if one else ("", "", "")
        if provider in GOOGLES:
            yield name


def _credentials(cloud: Cloud) -> str:
    found = cloud.login()
    if cloud.credentials == NOBODY:
        return "none are shown, to servers on this machine only"
    try:
        found.refresh(Request())  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        raise InvalidRequest(f"the credentials are not accepted (OPSPLANE_GOOGLE_CREDENTIALS): {error}") from error
    return f"{getattr(found, 'service_account_email', '') or type(found).__module__} for {cloud.project}"


def _model(cloud: Cloud, name: str, location: str, clock: Clock, other: str) -> str:
    """One counted token costs nothing, and needs all that an answer needs."""
    options = types.HttpOptions(
        base_url=cloud.address("gemini") or None, api_version=cloud.api_version or None, timeout=_SECONDS * 1000
    )
    client = genai.Client(
        vertexai=True, project=cloud.project, location=location, credentials=cloud.login(), http_options=options
    )
    setting = f"OPSPLANE_GOOGLE_{other}LOCATION{'S' * bool(other)}"
    try:
        counted = client.models.count_tokens(model=name, contents="How much is the overdraft fee?")
    except APIError as error:
        raise InvalidRequest(told(error, name, location, cloud.project, setting)) from error
    except httpx.HTTPError as error:
        named = "OPSPLANE_GEMINI_ENDPOINT" if cloud.addresses.get("gemini") else "OPSPLANE_GOOGLE_ENDPOINT"
        raise InvalidRequest(f"it cannot be reached: check {named} and the network ({error})") from error
    finally:
        client.close()
    date = (counted.sdk_http_response.headers or {}).get("date", "") if counted.sdk_http_response else ""
    try:
        clocks = f", its clock {doctor_local.skew(parsedate_to_datetime(date), clock())}" if date else ""
    except ValueError:
        clocks = ""
    return f"answers{clocks}"


def _bigquery(settings: Settings) -> str:
    warehouse = Warehouse(settings.cloud, settings.bigquery_dataset, _SECONDS)
    region, missing = warehouse.region(), [table.name for table in TABLES if warehouse.lacks(table)]
    made = f"; {', '.join(missing)} made or widened by the first export" if missing else ""
    return f"{settings.bigquery_dataset} in {region}{made}"


def told(error: APIError, model: str, location: str, project: str, setting: str) -> str:
    """What a refusal of the models' interface means, and which setting is to be changed."""
    said = " ".join((error.message or "").split())[:200]
    if error.code == 429:
        raise Doubt(f"the quota of {model} in {location} is used up just now: ask for more, or add regions ({said})")
    meaning = {
        400: f"the request was refused: check {setting} and the model's name in the release",
        401: "the credentials are not accepted: check OPSPLANE_GOOGLE_CREDENTIALS",
        403: f"not permitted in {project}: give this account roles/aiplatform.user, enable the Vertex AI API, or "
        "check OPSPLANE_GOOGLE_PROJECT",
        404: f"there is no model {model} in {location}: it never was there or has retired; name another in the "
        f"release, or another region in {setting}",
    }.get(error.code, f"it answers {error.code}: try again, or add a region to OPSPLANE_GOOGLE_OTHER_LOCATIONS")
    return f"{meaning} ({said})" if said else meaning
