"""`autotagging restore`: what results depend on and DVC does not watch."""

import json
import re
from pathlib import Path

import pytest
import yaml

from autotagging.common.errors import UserError
from autotagging.tools import restore


def test_results_of_a_missing_corpus_or_another_vocabulary_are_not_restored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(restore, "changes_since_download", lambda corpus: [])
    for folder in ("results/download", "results/merge_tags"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "results/download/audio.json").write_text(json.dumps({"corpus": "mine"}))
    with pytest.raises(UserError, match=r"corpus: mine is not a folder; .* put it there, then"):
        restore._check_own_corpus()
    (tmp_path / "mine").mkdir()
    restore._check_own_corpus()
    for path in ("mine/tags.yaml", "results/merge_tags/corpus_tags.yaml"):
        (tmp_path / path).write_text("synonyms: {}")
    restore._check_own_corpus()
    (tmp_path / "mine/tags.yaml").write_text("synonyms: {a: [b]}")
    with pytest.raises(
        UserError, match=r"mine/tags\.yaml is not results/merge_tags/corpus_tags\.yaml"
    ):
        restore._check_own_corpus()
    (tmp_path / "results/merge_tags/corpus_tags.yaml").unlink()
    with pytest.raises(UserError, match=r"run `snakemake --cores all` for the corpus as it is"):
        restore._check_own_corpus()


def test_models_trained_from_other_weights_are_not_restored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start, trained = Path("msd/model.json"), Path("results/train/crnn/seed-0/model.json")
    for path in (start, trained):
        path.parent.mkdir(parents=True)
    models = {"crnn": {"start_from": "msd"}, "lookup": {}}
    Path("params.yaml").write_text(yaml.safe_dump({"models": [*models], "train": models}))
    trained.write_text(json.dumps({"trained_on": {"start_weights_sha256": "a"}}))
    start.write_text(json.dumps({"weights_sha256": "a"}))
    restore._check_starts()
    start.write_text(json.dumps({"weights_sha256": "b"}))
    message = (
        f"{trained}: not trained from the weights of {start}; put the earlier ones back, or train "
        f"again: `snakemake --cores all --forcerun {trained}`"
    )
    with pytest.raises(UserError, match=re.escape(message)):
        restore._check_starts()
    start.unlink()
    with pytest.raises(UserError, match=r"train\.crnn\.start_from: msd is neither .* put it"):
        restore._check_starts()


def test_a_source_that_was_not_compared_is_named():
    train = {"seeds": [0, 1], "crnn": {}, "transfer": {"source": "other_tags"}}
    params = {"models": ["crnn", "transfer"], "train": train}
    assert [*restore._not_compared(params)] == []
    train["transfer"]["source"] = "../demo/results"
    (note,) = restore._not_compared(params)
    folder = "results/train/transfer"
    assert note == (
        "train.transfer.source was not compared; if ../demo/results has changed since, "
        f"train again: `snakemake --cores all --forcerun {folder}/seed-0/model.json "
        f"{folder}/seed-1/model.json`"
    )
    assert [*restore._not_compared({**params, "models": ["crnn"]})] == []


def test_without_a_lock_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("Snakefile", "params.yaml"):
        Path(name).touch()
    with pytest.raises(UserError, match=r"no dvc\.lock here; `git checkout -- dvc\.lock` gets"):
        restore.restore()
