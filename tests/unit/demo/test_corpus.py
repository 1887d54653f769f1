"""The demo corpus has the official format, and its audio carries its tags."""

import contextlib
import hashlib
import io
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from autotagging.common.errors import UserError
from autotagging.corpus.raw_tags import RAW_TAGS
from autotagging.dataset.groups import LEVELS
from autotagging.demo import corpus as demo
from autotagging.demo.catalogue import catalogue
from autotagging.demo.composition import PROGRESSIONS, ROLES, SCALES
from autotagging.demo.instruments import INSTRUMENTS
from autotagging.demo.listeners import INSTRUMENT_TAGS, SPELLINGS, VOICES, listen
from autotagging.demo.percussion import PATTERNS
from autotagging.demo.pieces import compose, perform
from autotagging.demo.styles import STYLES
from autotagging.labels.partition import leakage, random_split
from autotagging.labels.tags import merge_synonyms, most_frequent
from autotagging.models.lookup import fit_lookup, score_lookup
from autotagging.training.epoch_metrics import mean_roc_auc
from conftest import ROOT

FILES = (
    "annotations_final.csv",
    "clip_info_final.csv",
    "mp3.zip.001",
    "mp3.zip.002",
    "mp3.zip.003",
)
# The paper's Fig. 6, after the merging of synonyms.
TAGS_OF_FIGURE_6 = (
    "ambient,baroque,bass,beat,cello,chant,choir,classical,country,dance,drum,eastern,electro,fast,"
    "female,flute,folk,foreign,guitar,hard,harp,harpsichord,heavy,india,jazz,loud,male,modern,"
    "new age,no beat,no piano,no singer,opera,orchestra,piano,pop,quiet,rock,singer,sitar,slow,"
    "soft,solo,strange,string,synth,techno,trance,violin,vocal"
)
CLIPS, SEED = 8, 5


def piece(style, *, seconds, seed):
    track, passage = (np.random.default_rng([seed, part]) for part in (0, 1))
    return compose(style, seconds=seconds, track=track, passage=passage)


def digests(folder):
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora") / "demo"
    demo.synthesise(folder, clips=CLIPS, seed=SEED, workers=1)
    return folder


@pytest.fixture(scope="module")
def archive(corpus):
    joined = b"".join((corpus / name).read_bytes() for name in FILES[2:])
    return zipfile.ZipFile(io.BytesIO(joined))


def test_folder_has_the_official_files_and_no_others(corpus):
    assert sorted(path.name for path in corpus.iterdir()) == sorted(FILES)
    assert list(corpus.parent.iterdir()) == [corpus]


def test_annotations_to_the_byte(corpus):
    content = (corpus / "annotations_final.csv").read_bytes()
    lines = content.split(b"\r\n")
    header = '"clip_id"\t' + "\t".join(f'"{tag}"' for tag in RAW_TAGS) + '\t"mp3_path"'
    assert lines[0] == header.encode()
    assert len(lines) == CLIPS + 2
    assert lines[-1] == b""
    assert content.count(b"\n") == content.count(b"\r\n")
    row = re.compile(rb'"[1-9][0-9]*"(\t"[01]"){188}\t"[0-9a-f]/[A-Za-z0-9_.-]+\.mp3"')
    assert all(row.fullmatch(line) for line in lines[1:-1])


def test_vocabulary_is_the_official_one():
    assert len(RAW_TAGS) == len(set(RAW_TAGS)) == 188
    assert RAW_TAGS[:3] == ("no voice", "singer", "duet")
    assert RAW_TAGS[-3:] == ("women", "fiddle", "english")


def test_clip_info(corpus):
    path = corpus / "clip_info_final.csv"
    info = pd.read_csv(path, sep="\t", dtype=str)
    assert path.read_bytes().startswith(
        b'"clip_id"\t"track_number"\t"title"\t"artist"\t"album"\t"url"\t"segmentStart"'
        b'\t"segmentEnd"\t"original_url"\t"mp3_path"\r\n'
    )
    annotations = pd.read_csv(corpus / "annotations_final.csv", sep="\t", dtype=str)
    assert set(annotations.clip_id) < set(info.clip_id)
    paths = info.set_index("clip_id").mp3_path
    assert (annotations.set_index("clip_id").mp3_path == paths[annotations.clip_id]).all()
    assert info.url.str.match(r"http://www\.example\.org/").all()
    length = info.segmentEnd.astype(int) - info.segmentStart.astype(int)
    assert (length == 29).all()
    assert info.track_number.str.fullmatch(r"\d\d").all()


def test_archive_holds_the_annotated_clips_and_one_is_empty(corpus, archive):
    annotations = pd.read_csv(corpus / "annotations_final.csv", sep="\t")
    assert archive.testzip() is None
    assert archive.namelist() == annotations.mp3_path.tolist()
    entries = archive.infolist()
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert [entry.file_size for entry in entries].count(0) == 1
    sizes = [(corpus / name).stat().st_size for name in FILES[2:]]
    assert sizes[0] == sizes[1] > sizes[2] > 0


def test_clips_are_32_kbit_mono_of_29_seconds(archive):
    for entry in [entry for entry in archive.infolist() if entry.file_size][:4]:
        mp3 = archive.read(entry)
        with soundfile.SoundFile(io.BytesIO(mp3)) as file:
            assert (file.samplerate, file.channels, file.format) == (16_000, 1, "MP3")
            assert len(file.read()) == 465_984
        # Each frame of 576 samples at 32 kbit/s has 144 bytes: MPEG-2 layer III, bit rate 4.
        frames = range(0, len(mp3), 144)
        assert len(mp3) == 144 * len(frames)
        assert all(mp3[i : i + 2] == b"\xff\xf3" and mp3[i + 2] >> 4 == 4 for i in frames)


def test_same_bytes_whatever_the_number_of_workers(tmp_path):
    demo.synthesise(tmp_path / "one", clips=4, seed=1, workers=1)
    demo.synthesise(tmp_path / "two", clips=4, seed=1, workers=2)
    demo.synthesise(tmp_path / "other", clips=4, seed=2, workers=1)
    one, two, other = (digests(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert not set(one.values()) & set(other.values())


def test_an_interrupted_run_leaves_nothing_finished(corpus, tmp_path, monkeypatch):
    folder = tmp_path / "demo"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_bytes(b"earlier")

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(demo, "perform", interrupted)
        with pytest.raises(KeyboardInterrupt):
            demo.synthesise(folder, clips=4, seed=0, workers=1)
    assert list(tmp_path.iterdir()) == [folder]
    assert all((folder / name).read_bytes() == b"earlier" for name in FILES)
    demo.synthesise(folder, clips=CLIPS, seed=SEED, workers=1)
    assert digests(folder) == digests(corpus)
    assert list(tmp_path.iterdir()) == [folder]


SYNTHESISE = """
import sys
from pathlib import Path
from autotagging.demo import synthesise
synthesise(Path(sys.argv[1]), clips=200, seed=0, workers=2)
"""


def test_workers_end_when_the_process_that_started_them_is_killed(tmp_path):
    folder = tmp_path / "demo"
    command = [sys.executable, "-c", SYNTHESISE, str(folder)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not any(path.stat().st_size for path in tmp_path.glob(".demo-*/demo/mp3.zip")):
            assert process.poll() is None
            time.sleep(0.05)
        children = children_of(process.pid)
        process.kill()
    assert len(children) >= 2
    for _ in range(600):
        if not any(map(state_of, children)):
            break
        time.sleep(0.1)
    assert not any(map(state_of, children))


def children_of(pid):
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(child) for child in listed.split()]


def state_of(pid):
    """State of a process; empty if it has ended."""
    with contextlib.suppress(FileNotFoundError):
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        return state.replace("Z", "")
    return ""


def test_errors_a_user_can_cause(tmp_path):
    with pytest.raises(UserError, match="3 clips are too few"):
        demo.synthesise(tmp_path / "demo", clips=3, seed=0)
    with pytest.raises(UserError, match="negative"):
        demo.synthesise(tmp_path / "demo", clips=20, seed=-1)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="not a folder"):
        demo.synthesise(tmp_path / "file", clips=20, seed=0)


@pytest.mark.parametrize("clips", [4, 20, 57, 240, 3000])
def test_catalogue_is_like_the_official_one(clips):
    listed = catalogue(clips, seed=0)
    annotated = [clip for clip in listed if clip.annotated]
    assert len(annotated) == clips
    ids = [clip.clip_id for clip in listed]
    assert ids == sorted(set(ids))
    paths = {clip.mp3_path for clip in listed}
    assert len(paths) == len(listed)
    assert all(re.fullmatch(r"[0-9a-f]/[A-Za-z0-9_.-]+\.mp3", path) for path in paths)
    folders = {}
    for clip in listed:
        folders.setdefault(clip.track.url, set()).add(clip.track.folder)
    assert all(len(of_album) == 1 for of_album in folders.values())


def test_catalogue_of_240_clips_uses_all_folders_and_has_extra_rows():
    listed = catalogue(240, seed=0)
    counts = pd.Series([clip.track.folder for clip in listed if clip.annotated]).value_counts()
    assert len(counts) == 16
    assert counts.min() >= 5
    assert 245 <= len(listed) <= 300
    albums = {(clip.track.artist, clip.track.album, clip.track.folder) for clip in listed}
    artists = pd.DataFrame(albums, columns=["artist", "album", "folder"]).groupby("artist")
    assert (artists.folder.nunique() > 1).any()


def tags_of(clip, piece, seed):
    return listen(piece.chances(), rng=np.random.default_rng([seed, 2, clip.clip_id]))


@pytest.fixture(scope="module")
def tagged():
    """Clips, pieces and raw tags of the default corpus, without its audio."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())["demo"]
    seed = params["seed"]
    clips = [clip for clip in catalogue(params["clips"], seed=seed) if clip.annotated]
    pieces = [demo.piece_of(clip, seed=seed) for clip in clips]
    return clips, pieces, [tags_of(*pair, seed) for pair in zip(clips, pieces, strict=True)]


@pytest.fixture(scope="module")
def partitioned(tagged):
    """Labels of the 50 most frequent merged tags, groups, and subset of the paper's split."""
    clips, _, tags = tagged
    ids = [clip.clip_id for clip in clips]
    raw = pd.DataFrame([[tag in given for tag in RAW_TAGS] for given in tags], ids, RAW_TAGS)
    vocabulary = yaml.safe_load((ROOT / "workflow/resources/tags.yaml").read_text())
    merged = merge_synonyms(raw.astype(np.uint8), vocabulary["synonyms"])
    labels = merged[most_frequent(merged, 50)]
    names = [(c.track.index, (c.track.artist, c.track.album), c.track.artist) for c in clips]
    groups = pd.DataFrame(names, ids, LEVELS).astype(str)
    readable = [clip_id for index, clip_id in enumerate(ids) if index != len(ids) // 2]
    weights = {"train": 19773, "validation": 1521, "test": 4566}
    return labels, groups, random_split(readable, weights=weights, seed=0)


def test_an_artist_plays_several_styles_and_a_track_changes(tagged):
    clips, pieces, _ = tagged
    table = pd.DataFrame(
        {
            "artist": [clip.track.artist for clip in clips],
            "track": [clip.track.index for clip in clips],
            "style": [clip.style for clip in clips],
            "tempo": [piece.song.tempo for piece in pieces],
            "key": [(piece.song.root, piece.song.progression) for piece in pieces],
        }
    )
    assert (table.groupby("artist")["style"].nunique() >= 2).mean() > 0.9
    tracks = table[table.duplicated("track", keep=False)].groupby("track")
    assert 0.5 < (tracks["style"].nunique() == 1).mean() < 0.9
    assert (tracks["tempo"].nunique() == tracks.size()).all()
    assert (tracks["key"].nunique() == 1).all()


def test_the_fifty_tags_of_figure_6_are_the_most_frequent(tagged):
    _, _, tags = tagged
    concept_of = {raw: concept for concept, raws in SPELLINGS.items() for raw in raws}
    merged = pd.Series(
        [concept for given in tags for concept in {concept_of.get(raw, raw) for raw in given}]
    ).value_counts()
    assert set(merged.index[:50]) == set(TAGS_OF_FIGURE_6.split(","))
    assert merged.iloc[0] > 4 * merged.iloc[49]
    assert merged.iloc[50] < 0.5 * merged.iloc[49]
    assert 4.0 <= np.mean([len(given) for given in tags]) <= 6.0
    assert 0.01 <= np.mean([not given for given in tags]) <= 0.1


def test_all_fifty_tags_have_both_classes_among_the_test_clips(partitioned):
    labels, _, subset = partitioned
    shares = labels[subset.reindex(labels.index) == "test"].mean()
    assert len(shares) == 50
    assert shares.between(0, 1, inclusive="neither").all()


def test_groups_leak_but_lookup_knows_far_from_all(partitioned):
    labels, groups, subset = partitioned
    track, album, artist = leakage(subset, groups)["share"]
    assert 0.4 < track < 0.8 < album <= artist
    train, test = (subset.index[subset == name] for name in ("train", "test"))
    counts = fit_lookup(labels.loc[train], groups)
    scores = score_lookup(counts, groups.loc[test], pseudo_count=1.0)
    assert 0.7 < mean_roc_auc(labels.loc[test].to_numpy(), scores) < 0.8


def test_level_and_tempo_tags_go_with_level_and_tempo(tagged):
    _, pieces, tags = tagged
    table = pd.DataFrame(
        {
            "level": [piece.level for piece in pieces],
            "tempo": [piece.song.tempo for piece in pieces],
            **{tag: [tag in given for given in tags] for tag in ("loud", "quiet", "fast", "slow")},
        }
    )
    assert table[table.loud].level.mean() > table[table.quiet].level.mean() + 10.0
    assert table[table.fast].tempo.mean() > table[table.slow].tempo.mean() + 40.0


def test_who_sings_is_named_and_no_singer_is_not():
    sung = piece("opera", seconds=5.0, seed=0)
    singer = {"soprano": "female", "tenor": "male"}[sung.parts[0][1]]
    assert sung.chances()[singer] > 0.5
    assert "no singer" not in sung.chances()
    played = piece("piano solo", seconds=5.0, seed=0).chances()
    assert played["no singer"] > 0.3
    assert played["piano"] > 0.5
    for style in STYLES.values():
        names = {name for part in style.parts for name in part.instruments}
        assert not ("no singer" in style.tags and names & VOICES)


def test_tables_name_only_what_there_is():
    concepts = {concept for style in STYLES.values() for concept in style.tags}
    concepts |= {concept for given in INSTRUMENT_TAGS.values() for concept in given}
    for concept in concepts:
        assert set(SPELLINGS.get(concept, {concept})) <= set(RAW_TAGS)
    assert set(INSTRUMENT_TAGS) <= set(INSTRUMENTS)
    assert set(INSTRUMENTS) >= VOICES
    for style in STYLES.values():
        assert set(style.scales) <= set(SCALES)
        assert set(style.drums) <= set(PATTERNS)
        for part in style.parts:
            assert part.role in ROLES
            assert set(part.instruments) <= set(INSTRUMENTS)
    assert len(set(PROGRESSIONS)) == len(PROGRESSIONS)


def test_a_loud_clip_is_louder_than_a_quiet_one():
    levels = {}
    for style in ("metal", "harp"):
        waveform = perform(piece(style, seconds=4.0, seed=0), rng=np.random.default_rng(0))
        assert waveform.dtype == np.float32
        assert np.abs(waveform).max() < 1.0
        levels[style] = 10 * np.log10(np.mean(waveform**2))
    assert levels["metal"] > levels["harp"] + 10.0


@pytest.mark.parametrize("style", STYLES)
def test_every_style_plays_at_its_level(style):
    played = piece(style, seconds=4.0, seed=1)
    waveform = perform(played, rng=np.random.default_rng(1))
    assert np.isfinite(waveform).all()
    assert 10 * np.log10(np.mean(waveform**2)) == pytest.approx(played.level, abs=2.5)
