"""Where corpora are."""

from pathlib import Path

from autotagging.corpus.paths import corpora_folder, corpus_folder


def test_an_experiment_uses_the_corpora_of_its_project(tmp_path, monkeypatch):
    """DVC runs it in a copy of what git tracks, and names the project in DVC_ROOT."""
    copy = tmp_path / ".dvc/tmp/exps/tmp0"
    copy.mkdir(parents=True)
    monkeypatch.delenv("AUTOTAGGING_CORPORA", raising=False)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert corpora_folder() == Path("corpora")
    assert corpus_folder("my/clips") == Path("my/clips")
    monkeypatch.chdir(copy)
    assert corpora_folder() == tmp_path / "corpora"
    assert corpus_folder("demo") == tmp_path / "corpora/demo"
    assert corpus_folder("my/clips") == tmp_path / "my/clips"
    assert corpus_folder("/my/clips") == Path("/my/clips")
    monkeypatch.setenv("AUTOTAGGING_CORPORA", "../shared")
    assert corpora_folder() == tmp_path / "../shared"


def test_another_project_of_dvc_has_its_own_corpora(tmp_path, monkeypatch):
    monkeypatch.delenv("AUTOTAGGING_CORPORA", raising=False)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "other"))
    monkeypatch.chdir(tmp_path)
    assert corpora_folder() == Path("corpora")
