"""Changes of a corpus of the user, which DVC does not notice."""

import pytest

from autotagging.common.errors import UserError
from autotagging.common.files import write_json
from autotagging.tools._own_corpus import check_own_corpus

TABLES = ("annotations_final.csv", "clip_info_final.csv")


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A corpus folder, and the results of download and merge_tags of it."""
    monkeypatch.chdir(tmp_path)
    for folder in ("mine/0", "results/download", "results/merge_tags"):
        (tmp_path / folder).mkdir(parents=True)
    for name in TABLES:
        for folder in ("mine", "results/download"):
            (tmp_path / folder / name).write_text(f"{name}, as it was", encoding="utf-8")
    (tmp_path / "mine/0/a.flac").write_bytes(b"1234")
    clips = "clip_id,mp3_path,bytes,crc32\n1,0/a.flac,4,1\n2,0/gone.flac,,\n"
    (tmp_path / "results/download/clips.csv").write_text(clips, encoding="utf-8")
    write_json({"corpus": "mine"}, tmp_path / "results/download/audio.json")
    (tmp_path / "mine/tags.yaml").write_text("synonyms: {}\n", encoding="utf-8")
    (tmp_path / "results/merge_tags/corpus_tags.yaml").write_text(
        "synonyms: {}\n", encoding="utf-8"
    )
    (tmp_path / "results/merge_tags/labels.csv").touch()
    return tmp_path / "mine"


def test_a_corpus_that_has_not_changed_is_accepted(corpus):
    check_own_corpus("mine", rules={"train"})
    (corpus / "0/a.flac").rename(corpus / "0/b.flac")  # audio that is gone is no other audio
    check_own_corpus("mine", rules={"train"})


@pytest.mark.parametrize(
    ("name", "step"),
    [*((name, "download") for name in (*TABLES, "0/a.flac")), ("tags.yaml", "merge_tags")],
)
def test_a_changed_file_is_named_with_the_step_to_run_again(corpus, name, step):
    (corpus / name).write_text("changed", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        check_own_corpus("mine", rules={"train"})
    assert str(caught.value) == (
        f"mine/{name} has changed since the step {step}, which DVC does not notice; type "
        f"`dvc repro --force {step}`, then the same command"
    )
    check_own_corpus("mine", rules={step})
    check_own_corpus("mine", rules={"download"})
    check_own_corpus("other", rules={"train"})  # download has not run for it


def test_a_vocabulary_that_is_gone_or_new_has_changed(corpus):
    (corpus / "tags.yaml").rename(corpus / "kept.yaml")
    with pytest.raises(UserError, match=r"^mine/tags\.yaml has changed since the step merge_tags"):
        check_own_corpus("mine", rules={"split"})
    (corpus.parent / "results/merge_tags/corpus_tags.yaml").unlink()
    check_own_corpus("mine", rules={"split"})
    (corpus / "kept.yaml").rename(corpus / "tags.yaml")
    with pytest.raises(UserError, match=r"^mine/tags\.yaml has changed since the step merge_tags"):
        check_own_corpus("mine", rules={"split"})
    (corpus.parent / "results/merge_tags/labels.csv").unlink()  # merge_tags has not run yet
    check_own_corpus("mine", rules={"split"})
