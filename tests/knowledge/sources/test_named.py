from pathlib import Path

import pytest

from knowledge.sources.named import source


@pytest.mark.parametrize(
    "text",
    [
        "/srv/policies",
        "/srv/policies/fees 2026.pdf",
        "gs://bank-docs",
        "gs://bank-docs/fees/2026",
        "git+file:///srv/policies",
        "git+https://git.bank.example/policies.git#release/2026:published/fees",
    ],
)
def test_a_text_names_the_same_source_again(text: str, tmp_path: Path) -> None:
    one = source(text, tmp_path)
    two = source(one.spec, tmp_path)
    assert one.spec == two.spec == text
    assert type(one) is type(two)


def test_a_relative_path_is_remembered_as_an_absolute_one(tmp_path: Path) -> None:
    assert source(" policies ", tmp_path).spec == str(Path.cwd() / "policies")


@pytest.mark.parametrize(
    "text", ["", "https://bank.example/fees.html", "s3://bucket/x", "file:///srv", "a\0b", "gs://"]
)
def test_a_text_that_names_no_source_is_refused_in_words(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"name a folder|needs a name|is no bucket"):
        source(text, tmp_path)
