from pathlib import Path

from assistant import corpus
from assistant.settings import Settings
from knowledge.embedding import MiniLM


def test_documents_come_from_the_configured_sources_at_first_and_then_from_what_is_remembered(
    tmp_path: Path, minilm: MiniLM
) -> None:
    for name in ("fees", "cards"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.md").write_text(f"# {name}\nAll about the {name} of the bank.\n")
    settings = Settings(data=tmp_path / "data", sources=f"{tmp_path}/fees, {tmp_path}/cards,")
    report = corpus.refresh(settings, minilm, lambda *_: None)
    assert report
    assert corpus.sources(settings) == [f"{tmp_path}/fees", f"{tmp_path}/cards"]
    again = Settings(data=tmp_path / "data", sources=f"{tmp_path}/elsewhere")
    assert corpus.refresh(again, minilm, lambda *_: None)
    assert corpus.sources(again) == [f"{tmp_path}/fees", f"{tmp_path}/cards"]
