"""Datasets on disk: YAML and JSON lines, the same cases, and every mistake with its file, line and field."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsplane.errors import InvalidRelease, InvalidRequest
from opsplane.evaluation import dataset
from opsplane.evaluation.dataset import Case, Dataset, load, save
from tests.library import ROOT

DAY = date(2026, 11, 23)
FEE = {"id": "fee", "kind": "answerable", "question": "What is the fee?", "facts": [["$15", "15 dollars"], "each item"]}
HEAD = '{"as_of": "2026-11-23", "name": "small"}'


def lines(folder: Path, *rows: str | dict[str, Any], name: str = "set.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def yaml_file(folder: Path, text: str, name: str = "set.yaml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def refusal(path: Path) -> str:
    with pytest.raises(InvalidRelease) as told:
        load(path)
    return str(told.value)


def test_json_lines_hold_what_yaml_holds(tmp_path: Path) -> None:
    found = load(lines(tmp_path, HEAD, "", FEE, FEE | {"id": "other", "as": "customer2", "expect": "decline"}))
    assert (found.name, found.as_of, [one.id for one in found.cases]) == ("small", DAY, ["fee", "other"])
    assert found.cases[0].facts == (("$15", "15 dollars"), "each item")
    save(found, tmp_path / "again.yaml")
    assert load(tmp_path / "again.yaml") == found


def test_without_a_first_line_the_cases_are_true_today(tmp_path: Path) -> None:
    path = lines(tmp_path, FEE)
    assert load(path, DAY).as_of == DAY
    assert 'line 1: as_of: say in a first line like {"as_of": "2026-11-23"}' in refusal(path)


def test_a_first_line_may_name_the_set_alone(tmp_path: Path) -> None:
    found = load(lines(tmp_path, '{"name": "small"}', FEE), DAY)
    assert (found.name, len(found.cases)) == ("small", 1)


@pytest.mark.parametrize("name", ["golden/held-out", "redteam/dataset.yaml"])
def test_our_own_sets_lose_nothing_in_either_format(tmp_path: Path, name: str) -> None:
    found = load(ROOT / "tests" / name)
    for suffix in (".jsonl", ".yaml"):
        save(found, tmp_path / f"copy{suffix}")
        assert load(tmp_path / f"copy{suffix}").digest == found.digest


def test_the_digest_knows_no_order_and_no_name_but_every_word() -> None:
    first, second = Case.model_validate(FEE), Case.model_validate(FEE | {"id": "other"})
    whole = Dataset(name="a", as_of=DAY, cases=(first, second))
    assert whole.digest == Dataset(name="b", as_of=DAY, cases=(second, first)).digest
    changed = first.model_copy(update={"reference": "It is $15."})
    assert whole.digest != Dataset(as_of=DAY, cases=(Case.model_validate(changed.told()), second)).digest


WORDS = st.text(min_size=1, max_size=12)


@settings(max_examples=25)
@given(question=WORDS, fact=WORDS, tag=WORDS, reference=st.text(max_size=12))
def test_any_text_survives_both_formats(
    tmp_path_factory: pytest.TempPathFactory, question: str, fact: str, tag: str, reference: str
) -> None:
    told = {"id": tag, "kind": tag, "question": question, "facts": [fact, [fact, tag]], "reference": reference}
    whole = Dataset(as_of=DAY, cases=(Case.model_validate(told),))
    folder = tmp_path_factory.mktemp("any")
    for suffix in (".yaml", ".jsonl"):
        save(whole, folder / f"any{suffix}")
        assert load(folder / f"any{suffix}").cases == whole.cases


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (FEE | {"question": 7}, "set.jsonl: line 2: question: Input should be a valid string"),
        (FEE | {"fact": "$15"}, "set.jsonl: line 2: fact: Extra inputs are not permitted"),
        (FEE | {"expect": "maybe"}, "set.jsonl: line 2: expect: Input should be 'answer' or 'decline'"),
        (FEE | {"forbidden": [""]}, "set.jsonl: line 2: forbidden.0: String should have at least 1 character"),
        (FEE | {"question": "\ud800"}, "question: Input should be a valid string, unable to parse"),
        (FEE | {"reference": "\ud800"}, "reference: Value error, half of a surrogate pair stands in it"),
        ({"id": "fee", "kind": "x"}, "set.jsonl: line 2: question: Field required"),
        ("[1, 2]", "set.jsonl: line 2: no JSON object; each case stands on a line of its own"),
        ('{"id": "fee",', "set.jsonl: line 2: no JSON object: "),
        ('{"id": "a", "id": "b"}', "line 2: no JSON object: the field 'id' is written twice"),
        ('{"id": NaN}', "line 2: no JSON object: NaN is no number of JSON"),
        ("[" * 100_000, "set.jsonl: line 2: nested too deeply"),
    ],
)
def test_a_malformed_line_is_named_with_file_line_and_field(tmp_path: Path, row: Any, told: str) -> None:
    assert told in refusal(lines(tmp_path, HEAD, row))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "set.yaml: the file is empty"),
        ("- 1", "set.yaml: line 1: a mapping of fields is expected"),
        ("as_of: 2026-11-23\ncases: []", "set.yaml: line 2: cases: it has no cases"),
        ("as_of: 2026-13-01\ncases: []", "set.yaml: a value cannot be read: month must be in 1..12"),
        ("as_of: 2026-11-23\ncases:\n- id: a\n  kind: b\n  question: yes", "set.yaml: line 5: cases.0.question: "),
        ("as_of: 2026-11-23\ncases: &a [*a]", "set.yaml: line 2: an alias (*name)"),
        ("[" * 900_000, "set.yaml: line 1: nested too deeply"),
        ("- " * 100_000, "set.yaml: line 1: nested too deeply"),
        ("as_of: 2026-11-23\ncases:\n- id: a\n\tkind: b", "set.yaml: line 4: "),
    ],
)
def test_a_malformed_file_is_named_with_line_and_field(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(yaml_file(tmp_path, text))


@pytest.mark.parametrize("cases", ["[]", "", "null"])
def test_a_set_without_cases_says_so(tmp_path: Path, cases: str) -> None:
    told = refusal(yaml_file(tmp_path, f"as_of: 2026-11-23\ncases: {cases}"))
    assert told == "set.yaml: line 2: cases: it has no cases"


def test_malformed_cases_are_not_told_as_none(tmp_path: Path) -> None:
    told = refusal(yaml_file(tmp_path, "as_of: 2026-11-23\ncases:\n- {id: a, kind: b}"))
    assert told == "set.yaml: line 3: cases.0.question: Field required"


def test_of_many_mistakes_the_first_are_told_and_the_rest_are_counted(tmp_path: Path) -> None:
    told = refusal(lines(tmp_path, HEAD, *(["7"] * 1_000))).splitlines()
    assert len(told) == dataset.TOLD + 1
    assert told[-1] == "set.jsonl: and 980 more problems"


def test_every_file_of_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    lines(tmp_path, HEAD, "7", name="one.jsonl")
    yaml_file(tmp_path, "cases: 7", "two.yml")
    told = refusal(tmp_path)
    assert "one.jsonl: line 2" in told
    assert "two.yml: line 1: cases" in told


def test_the_same_id_in_two_files_is_named_with_both(tmp_path: Path) -> None:
    lines(tmp_path, HEAD, FEE, name="one.jsonl")
    lines(tmp_path, HEAD, FEE, name="two.jsonl")
    assert refusal(tmp_path) == f"{tmp_path}: cases named twice: fee (one.jsonl, two.jsonl)"


def test_the_same_id_in_one_file_is_named(tmp_path: Path) -> None:
    assert "set.jsonl: line 1: Value error, cases named twice: fee" in refusal(lines(tmp_path, HEAD, FEE, FEE))


def test_files_that_are_true_on_different_days_do_not_go_together(tmp_path: Path) -> None:
    lines(tmp_path, HEAD, FEE, name="one.jsonl")
    lines(tmp_path, '{"as_of": "2026-11-24"}', FEE | {"id": "b"}, name="two.jsonl")
    assert "different days (as_of): one.jsonl 2026-11-23, two.jsonl 2026-11-24" in refusal(tmp_path)


def test_a_folder_without_sets_and_a_path_without_anything_are_told(tmp_path: Path) -> None:
    assert "no dataset (*.yaml or *.jsonl) is there" in refusal(tmp_path)
    assert "there is no such file or folder" in refusal(tmp_path / "none.yaml")


def test_a_set_of_a_head_alone_has_no_case(tmp_path: Path) -> None:
    assert "set.jsonl: no case is in it" in refusal(lines(tmp_path, HEAD))
    assert "set.jsonl: no case is in it" in refusal(lines(tmp_path, ""))


@pytest.mark.parametrize("name", ["set.yaml", "set.jsonl"])
def test_a_file_in_another_encoding_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes("as_of: é".encode("latin-1"))
    assert f"{name}: not written in UTF-8: unexpected end of data at byte 8" in refusal(tmp_path / name)


def test_a_file_that_is_too_large_is_told_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "set.yaml"
    path.write_bytes(b" " * (dataset.LARGEST_YAML + 1))
    assert "more than 1,000,000 bytes; write a larger set as JSON lines" in refusal(path)


def test_a_subset_keeps_what_fits_everything_that_was_asked_for() -> None:
    cases = tuple(
        Case(id=name, kind=kind, question="?", tags=tags)
        for name, kind, tags in (("a", "x", ("t", "u")), ("b", "x", ()), ("c", "y", ("t",)))
    )
    whole = Dataset(name="w", as_of=DAY, cases=cases)
    assert [one.id for one in whole.subset(kinds=["x"], tags=["t"]).cases] == ["a"]
    assert [one.id for one in whole.subset(ids=["c", "b"]).cases] == ["b", "c"]
    with pytest.raises(InvalidRequest, match="No case of w has the tag 'z'; known: t, u"):
        whole.subset(tags=["z"])
    with pytest.raises(InvalidRequest, match="fits all of that"):
        whole.subset(ids=["b"], tags=["t"])


def test_where_it_cannot_be_written_is_told(tmp_path: Path) -> None:
    whole = Dataset(as_of=DAY, cases=(Case.model_validate(FEE),))
    for path, told in ((tmp_path / "a.csv", "ends in .yaml or .jsonl"), (tmp_path / "no" / "a.yaml", "No such file")):
        with pytest.raises(InvalidRequest, match=told):
            save(whole, path)
