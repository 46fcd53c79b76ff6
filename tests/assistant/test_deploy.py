"""What is written for production: it names commands, settings, files and paths that exist, and runs as nobody."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from assistant import jobs, settings
from assistant.__main__ import cli
from assistant.settings import Settings
from opsplane import registry

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((*DEPLOY.glob("kubernetes/*.yaml"), DEPLOY / "cloudrun/service.yaml"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


def containers(value: Any) -> list[dict[str, Any]]:
    """Every container in a manifest, with the pod around it."""
    if isinstance(value, list):
        return [found for one in value for found in containers(one)]
    if not isinstance(value, dict):
        return []
    own = [value | {"container": one} for one in (*value.get("containers", ()), *value.get("initContainers", ()))]
    return own + [found for one in value.values() for found in containers(one)]


PODS = [(path.name, pod) for path in MANIFESTS for document in documents(path) for pod in containers(document)]


def known(words: list[str]) -> bool:
    """Whether the command exists, with every option that is given."""
    group: Any = typer.main.get_command(cli)
    while words and not words[0].startswith("-") and hasattr(group, "commands"):
        group = group.commands.get(words.pop(0))
        if group is None:
            return False
    options = {name for parameter in group.params for name in parameter.opts}
    return {word for word in words if word.startswith("--")} <= options


def test_the_configuration_reads_and_names_a_release_that_is_there() -> None:
    chosen = settings.from_environment({}, config=DEPLOY / "production.yaml")
    assert chosen.index_store == "vertex-collections"
    assert chosen.release in registry.load_all(ROOT / chosen.releases)
    assert not chosen.demo


@pytest.mark.parametrize(("name", "pod"), PODS, ids=[f"{name}-{n}" for n, (name, _) in enumerate(PODS)])
def test_every_container_starts_a_command_that_exists(name: str, pod: dict[str, Any]) -> None:
    words = list(pod["container"]["args"])
    assert known(words), pod["container"]["args"]
    if "job" in pod["container"]["args"]:
        assert pod["container"]["args"][2] in {one.name for one in jobs.listed(Settings(bigquery_dataset="d"))}


@pytest.mark.parametrize(("name", "pod"), [one for one in PODS if one[0] != "service.yaml"])
def test_no_pod_is_root_or_writes_outside_its_volumes(name: str, pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"]
    allowed = pod["container"]["securityContext"]
    assert allowed["readOnlyRootFilesystem"]
    assert not allowed["allowPrivilegeEscalation"]
    assert allowed["capabilities"]["drop"] == ["ALL"]
    mounted = {one["mountPath"] for one in pod["container"]["volumeMounts"]}
    assert {"/data", "/tmp", "/etc/opsplane"} <= mounted


def test_sessions_stick_and_probes_ask_where_the_product_answers() -> None:
    (service,) = documents(DEPLOY / "cloudrun/service.yaml")
    assert service["spec"]["template"]["metadata"]["annotations"]["run.googleapis.com/sessionAffinity"] == "true"
    assert documents(DEPLOY / "kubernetes/service.yaml")[0]["spec"]["sessionAffinity"] == "ClientIP"
    serving = [pod["container"] for _, pod in PODS if pod["container"]["args"][0] == "serve"]
    probes = [one[kind] for one in serving for kind in ("startupProbe", "livenessProbe")]
    assert {probe["httpGet"]["path"] for probe in probes} == {"/healthz"}
    assert len(probes) == 4


def test_the_image_copies_what_is_there_and_runs_as_nobody() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in shlex.split(line)[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source.rstrip('/')}" in ignored, source
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001"]
    assert known(shlex.split(" ".join(yaml.safe_load(re.findall(r"^CMD (.+)$", DOCKERFILE, re.MULTILINE)[-1]))))


def test_settings_in_files_for_production_exist() -> None:
    files = [path for path in DEPLOY.rglob("*") if path.suffix in (".yaml", ".tf", ".md") or "Dockerfile" in path.name]
    named = {name for path in files for name in re.findall(r"OPSPLANE_[A-Z_]+", path.read_text())}
    variables = {f"OPSPLANE_{name.upper()}" for name in Settings.__dataclass_fields__}
    assert named - variables <= {"OPSPLANE_CONFIG", "OPSPLANE_SESSION_SECRET"}


def test_what_the_image_installs_is_what_is_tested() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9.-]+==\S+", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements-serve.lock") < pins("requirements.lock")


@pytest.mark.skipif(not shutil.which("kubectl"), reason="KUBECTL IS NOT INSTALLED: the manifests were not put together")
def test_the_manifests_can_be_put_together() -> None:
    done = subprocess.run(["kubectl", "kustomize", str(DEPLOY)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = {(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all(done.stdout)}
    assert {("StatefulSet", "opsplane"), ("CronJob", "opsplane-golden"), ("PodDisruptionBudget", "opsplane")} <= made


@pytest.mark.skipif(not shutil.which("terraform"), reason="TERRAFORM IS NOT INSTALLED: its files were not looked at")
def test_terraform_reads_its_files_and_finds_them_in_good_form(tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", str(DEPLOY / "terraform")],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(Path(shutil.which("terraform") or "").parent), "TF_CLI_CONFIG_FILE": str(tmp_path / "none")},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_terraform_declares_every_variable_that_it_uses() -> None:
    texts = {path.name: path.read_text() for path in (DEPLOY / "terraform").glob("*.tf")}
    whole = "\n".join(texts.values())
    assert set(re.findall(r"\bvar\.(\w+)", whole)) == set(re.findall(r'^variable "(\w+)"', whole, re.MULTILINE))
    used = set(
        re.findall(r"\b(google_\w+|random_\w+)\.(\w+)\b", re.sub(r"^\s*resource.*$", "", whole, flags=re.MULTILINE))
    )
    made = set(re.findall(r'^resource "(\w+)" "(\w+)"', whole, re.MULTILINE))
    assert used <= made, used - made
    assert set(re.findall(r"\blocal\.(\w+)", whole)) <= set(re.findall(r"^  (\w+)\s*=", whole, re.MULTILINE))
