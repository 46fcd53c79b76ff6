import pytest

from assistant.examiners import examiner
from opsplane.errors import InvalidRelease
from opsplane.release import External


def test_an_unknown_kind_names_the_field_and_the_kinds_that_there_are() -> None:
    complaint = (
        "guardrails.external.x.kind: there is no 'oracle'; there are check-grounding, llama-guard, model-armor, nemo"
    )
    with pytest.raises(InvalidRelease, match=complaint):
        examiner(External(name="x", kind="oracle", target="t"))
