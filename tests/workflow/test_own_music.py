"""A person's own songs and tags, from a table to labels, split and spectrograms."""

import csv
import os

import numpy as np
import pandas as pd
import pytest
import soundfile

TABLES = "results/split/split.csv results/extract_mel/summary.csv"
SONGS = [
    ("one.flac", "A", "Rock", "loud"),
    ("two.wav", "B", "rock;Pop", ""),
    ("three.ogg", "C", "Jazz", "calm"),
    ("four.mp3", "D", "jazz", "calm"),
]


@pytest.fixture
def project(make_project):
    """A project whose corpus is made of four songs of a minute, each of another artist."""
    project = make_project()
    music = project.folder / "music"
    music.mkdir()
    rng = np.random.default_rng(0)
    for name, *_ in SONGS:
        soundfile.write(music / name, rng.uniform(-0.5, 0.5, 60 * 12_000), 12_000)
    with (project.folder / "tags.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "artist", "genre", "mood"), *SONGS])
    project.run("autotagging import_corpus --csv tags.csv --audio music --out mine")
    project.replace("params.yaml", "corpus: demo", "corpus: mine")
    project.replace("params.yaml", "scheme: random", "scheme: artist")
    return project


def test_the_pipeline_runs_on_a_persons_music(project):
    steps = {"download", "merge_tags", "split", "extract_mel_shard", "extract_mel"}
    assert project.jobs(f"snakemake --cores 2 -- {TABLES}") == steps
    results = project.folder / "results"
    tags = pd.read_csv(results / "merge_tags/tags.csv")
    assert tags["tag"].tolist() == ["Jazz", "Rock", "calm", "Pop", "loud"]
    assert tags["category"].tolist() == ["genre", "genre", "mood", "genre", "mood"]
    assert tags["count"].tolist() == [4, 4, 4, 2, 2]
    statuses = [pd.read_csv(path)["status"] for path in results.glob("extract_mel/shard-*.csv")]
    assert pd.concat(statuses).tolist() == ["ok"] * 8
    split = pd.read_csv(results / "split/split.csv").set_index("clip_id")["subset"]
    artists = pd.read_csv(results / "download/groups.csv").set_index("clip_id")["artist"]
    assert split.groupby(artists).agg(["size", "nunique"]).to_numpy().tolist() == [[2, 1]] * 4
    assert pd.read_csv(results / "split/leakage.csv")["share"].tolist() == [0, 0, 0]

    project.replace("mine/tags.yaml", "synonyms: {}", "synonyms: {quiet: [calm, Jazz]}")
    assert project.jobs(f"snakemake --cores 2 -- {TABLES}") == {"merge_tags", "split"}
    tags = pd.read_csv(results / "merge_tags/tags.csv")
    copy = results / "merge_tags/corpus_tags.yaml"
    assert copy.read_bytes() == (project.folder / "mine/tags.yaml").read_bytes()
    assert tags["merged_from"][tags["tag"] == "quiet"].tolist() == ["Jazz;calm"]

    # As in DVC's stages, which would not notice the edit.
    project.replace("mine/tags.yaml", "quiet:", "soft:")
    project.replace("params.yaml", "  seed: 0\n  train: 19773", "  seed: 1\n  train: 19773")
    stage = "snakemake --cores 2 --allowed-rules {0} -- results/{0}/{1}.csv"
    printed = project.run(stage.format("split", "split"), code=1)
    assert "mine/tags.yaml has changed since the step merge_tags" in printed
    assert "`dvc repro --force merge_tags`" in printed
    project.run(stage.format("merge_tags", "labels"))
    assert copy.read_bytes() == (project.folder / "mine/tags.yaml").read_bytes()
    project.run(stage.format("split", "split"))


def test_changes_of_the_corpus_are_noticed_and_jobs_of_other_rules_do_not_read_it(project):
    """On a cluster, the Snakemake of each job would list all audio and hash the tables."""
    steps, table = {"download", "merge_tags", "split"}, "results/split/split.csv"
    assert project.jobs(f"snakemake --cores 2 -- {table}") == steps
    assert project.jobs(f"snakemake -n -- {table}") == set()
    clip = next(project.folder.glob("mine/[0-9a-f]/*.flac"))
    time = clip.stat().st_mtime_ns
    os.utime(clip, ns=(time, time + 1))
    assert project.jobs(f"snakemake -n -- {table}") == steps
    os.utime(clip, ns=(time, time))
    assert project.jobs(f"snakemake -n -- {table}") == set()
    (project.folder / "mine/other_final.csv").symlink_to("nothing")
    job = "snakemake -n --mode remote --nolock --force --allowed-rules {0} --target-jobs {0}:"
    for command in (f"snakemake -n -- {table}", job.format("download")):
        assert "mine/other_final.csv: no such file" in project.run(command, code=1)
    assert project.jobs(job.format("split")) == {"split"}
