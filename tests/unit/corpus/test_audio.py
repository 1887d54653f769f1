import contextlib
import json
import os
import shutil
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
import soundfile

from autotagging.common.errors import UserError
from autotagging.corpus.audio import Corpus, open_corpus
from autotagging.corpus.containers import BadClipError
from autotagging.corpus.paths import (
    corpus_folder,
    corpus_title,
    is_magnatagatune,
    is_whole_magnatagatune,
    own_title,
)
from autotagging.corpus.signature import audio_signature

CLIP = "0/clip-0-0-29.mp3"


def write_wav(path, samples):
    soundfile.write(path, samples, 16_000, format="WAV")


def zip_entries(folder, entries, **form):
    """Write an archive with given names, in place of the folders of clips."""
    for digit in folder.glob("?"):
        shutil.rmtree(digit)
    with zipfile.ZipFile(folder / "mp3.zip", "w", **form) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def patched(path, *changes):
    """Replace bytes after each occurrence of a signature of a zip: (signature, offset, new)."""
    content = bytearray(path.read_bytes())
    for signature, offset, new in changes:
        place = content.find(signature)
        while place >= 0:
            content[place + offset : place + offset + len(new)] = new
            place = content.find(signature, place + 1)
    path.write_bytes(content)


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


def zip_audio(folder, *, parts, prefix=""):
    """Replace a corpus's folders of clips by an archive in several parts."""
    whole = folder / "mp3.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for clip in sorted(folder.glob("?/*.mp3")):
            archive.write(clip, prefix + clip.relative_to(folder).as_posix())
    for digit in folder.glob("?"):
        shutil.rmtree(digit)
    if parts > 1:
        content = whole.read_bytes()
        size = len(content) // parts + 1
        for part in range(parts):
            (folder / f"mp3.zip.{part + 1:03}").write_bytes(
                content[part * size : (part + 1) * size]
            )
        whole.unlink()


def test_folder_archive_and_parts_give_the_same_clips(small_corpus):
    from_folder = open_corpus(small_corpus)
    sizes, waveform = from_folder.sizes(), from_folder.waveform(CLIP, sample_rate=12_000)
    assert len(sizes) == 4
    assert sizes["b/clip-b-0-29.mp3"] == 0
    for parts, prefix in ((1, ""), (3, "mp3/")):
        copy = small_corpus.with_name(f"copy-{parts}")
        shutil.copytree(small_corpus, copy)
        zip_audio(copy, parts=parts, prefix=prefix)
        corpus = open_corpus(copy)
        assert corpus.sizes() == sizes
        np.testing.assert_array_equal(corpus.waveform(CLIP, sample_rate=12_000), waveform)


def test_the_folder_of_a_corpus_may_be_text(small_corpus):
    assert open_corpus(str(small_corpus)).sizes() == open_corpus(small_corpus).sizes()


def test_waveform_is_as_long_as_what_was_decoded(small_corpus):
    waveform = open_corpus(small_corpus).waveform(CLIP, sample_rate=12_000)
    assert waveform.dtype == np.float32
    assert len(waveform) / 12_000 == pytest.approx(29.124, abs=0.001)


def test_an_mp3_with_an_id3v1_tag_in_front_of_its_audio_is_decoded(small_corpus):
    """libsndfile alone says that it is no audio; such files are sold."""
    expected = open_corpus(small_corpus).decode(CLIP).waveform
    path = small_corpus / CLIP
    id3v2 = b"ID3\x04\0\0\0\0\x02\x30" + bytes(304)
    path.write_bytes(id3v2 + b"TAG" + bytes(125) + path.read_bytes())
    np.testing.assert_array_equal(open_corpus(small_corpus).decode(CLIP).waveform, expected)


def test_channels_are_averaged(small_corpus):
    left = np.sin(np.arange(48_000) * 0.1)
    write_wav(small_corpus / CLIP, np.stack([0.5 * left, 0.25 * left], axis=1))
    decoded = open_corpus(small_corpus).decode(CLIP)
    np.testing.assert_allclose(decoded.waveform, 0.375 * left, atol=1e-4)


@pytest.mark.parametrize(
    ("right", "used"),
    [
        (-1.0, 0.5),  # the mean would be silence
        (-1.05, 0.525),  # the mean would be 0.0125: 32 dB below the louder channel
        (-0.9, 0.025),  # 26 dB below it
    ],
)
def test_of_channels_that_cancel_each_other_the_loudest_is_used(small_corpus, right, used):
    left = 0.5 * np.sin(np.arange(48_000) * 0.1)
    write_wav(small_corpus / CLIP, np.stack([left, right * left], axis=1))
    waveform = open_corpus(small_corpus).decode(CLIP).waveform
    assert np.abs(waveform).max() == pytest.approx(used, abs=1e-3)


def test_a_damaged_clip_is_decoded_without_a_word(small_corpus, capfd):
    """mpg123 would write a line for each damaged frame."""
    path = small_corpus / CLIP
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert open_corpus(small_corpus).decode(CLIP).damaged_seconds > 10
    os.write(2, b"what is written later\n")
    assert capfd.readouterr().err == "what is written later\n"


def test_a_damaged_archive_is_named(small_corpus):
    zip_audio(small_corpus, parts=3)
    (small_corpus / "mp3.zip.003").unlink()
    with pytest.raises(UserError, match=r"mp3\.zip\.001, mp3\.zip\.002 is not a whole zip"):
        open_corpus(small_corpus)


def test_a_folder_without_audio_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no audio; expected .* of mp3 files$"):
        open_corpus(tmp_path)
    (tmp_path / "0\\x.mp3").write_bytes(b"x")
    with pytest.raises(UserError, match=r"of mp3 files; found 0\\x\.mp3$"):
        open_corpus(tmp_path)


def test_fingerprint_follows_the_content(small_corpus):
    before = open_corpus(small_corpus).fingerprint()
    assert open_corpus(small_corpus).fingerprint() == before
    clip = small_corpus / CLIP
    content = bytearray(clip.read_bytes())
    content[5000] ^= 1
    clip.write_bytes(content)
    after = open_corpus(small_corpus).fingerprint()
    assert after["bytes"] == before["bytes"]
    assert after["sha256"] != before["sha256"]


@pytest.mark.parametrize("parts", [0, 1])
def test_a_path_that_leaves_the_corpus_is_refused_before_anything_is_opened(small_corpus, parts):
    if parts:
        zip_audio(small_corpus, parts=parts)
    corpus = open_corpus(small_corpus)
    for mp3_path in (
        "../clip-0-0-29.mp3",
        "/etc/passwd.mp3",
        "0/../../x.mp3",
        "0\\clip-0-0-29.mp3",
        "C:/clip-0-0-29.mp3",
        "0/clip\0.mp3",
        "0/clip-0-0-29.mp3\n",
    ):
        with pytest.raises(UserError, match=r"is not like 0/name\.mp3; nothing was opened"):
            corpus.waveform(mp3_path, sample_rate=12_000)


@pytest.mark.parametrize("linked", [CLIP, "0"])
def test_a_link_that_leaves_the_corpus_is_refused(small_corpus, linked):
    outside = small_corpus.with_name("outside")
    (small_corpus / linked).rename(outside)
    (small_corpus / linked).symlink_to(outside)
    corpus = open_corpus(small_corpus)
    message = f"corpus/{linked}: a link that leaves the corpus"
    with pytest.raises(UserError, match=message):
        corpus.sizes()
    with pytest.raises(UserError, match="a link that leaves the corpus"):
        corpus.waveform(CLIP, sample_rate=12_000)


def test_a_link_within_the_corpus_and_a_corpus_that_is_a_link_are_followed(small_corpus):
    (small_corpus / "f").symlink_to(small_corpus / "0")
    (small_corpus / "1/clip-1-0-29.mp3").unlink()
    (small_corpus / "1/clip-1-0-29.mp3").symlink_to("../0/clip-0-0-29.mp3")
    link = small_corpus.with_name("link")
    link.symlink_to(small_corpus)
    sizes = open_corpus(link).sizes()
    assert sizes["f/clip-0-0-29.mp3"] == sizes["1/clip-1-0-29.mp3"] == sizes[CLIP] > 100_000
    assert len(open_corpus(link).waveform("f/clip-0-0-29.mp3", sample_rate=100)) == 2912


def test_names_in_an_archive_that_leave_it_are_no_clips(small_corpus):
    zip_audio(small_corpus, parts=1)
    with zipfile.ZipFile(small_corpus / "mp3.zip", "a") as archive:
        for name in ("../0/x.mp3", "/0/x.mp3", "mp3/../0/x.mp3", "0/../x.mp3", "0/x.txt"):
            archive.writestr(name, b"x")
    assert sorted(open_corpus(small_corpus).sizes()) == [
        CLIP,
        "1/clip-1-0-29.mp3",
        "a/clip-a-0-29.mp3",
        "b/clip-b-0-29.mp3",
    ]


def test_a_clip_that_fails_the_checksum_of_the_archive_is_undecodable(small_corpus):
    zip_audio(small_corpus, parts=1)
    path = small_corpus / "mp3.zip"
    content = bytearray(path.read_bytes())
    content[50_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadClipError, match="undecodable"):
        open_corpus(small_corpus).waveform(CLIP, sample_rate=12_000)


def test_names_are_below_the_corpora_and_paths_are_themselves(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(tmp_path))
    assert corpus_folder("demo") == tmp_path / "demo"
    assert str(corpus_folder("../music")) == "../music"
    assert str(corpus_folder("~/music")).startswith("/")
    (tmp_path / "my-music").mkdir()
    assert corpus_folder("my-music") == tmp_path / "my-music"


def test_a_folder_never_passes_for_the_demo_or_magnatagatune():
    assert corpus_title("magnatagatune") == "magnatagatune"
    assert corpus_title("/data/magnatagatune/") == "folder magnatagatune"


def test_the_real_clip(magnatagatune):
    corpus = open_corpus(magnatagatune)
    (clip,) = corpus.sizes()
    waveform = corpus.waveform(clip, sample_rate=16_000)
    assert corpus.sizes()[clip] == 117_213
    assert len(waveform) == 465_984


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_an_archive_with_a_flipped_byte_anywhere_never_ends_in_a_traceback(small_corpus, method):
    path = small_corpus / "mp3.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.write(small_corpus / CLIP, CLIP)
    for digit in small_corpus.glob("?"):
        shutil.rmtree(digit)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    # Most bytes are audio; the headers are at both ends.
    places = [*range(80), *rng.integers(80, len(content), 10), *range(-130, 0)]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        with contextlib.suppress(BadClipError, UserError):
            open_corpus(small_corpus).decode(CLIP, longest=1)


@pytest.mark.parametrize(
    "names",
    [
        ("audio/0/x.mp3", "audio/1/y.mp3"),
        ("MagnaTagATune/audio/0/x.mp3", "MagnaTagATune/audio/1/y.mp3"),
        ("0\\x.mp3", "1\\y.mp3"),
        ("audio\\0\\x.mp3", "audio\\1\\y.mp3"),
        ("./0/x.mp3", "./1/y.mp3"),
        ("./mp3/0/x.mp3", "./mp3/1/y.mp3"),
        ("audio/0/x.mp3", "audio/1/y.mp3", "__MACOSX/audio/0/x.mp3"),
        ("0/x.mp3", "1/y.mp3", "backup/0/x.mp3"),
        ("mp3/0/x.mp3", "mp3/1/y.mp3", "old/0/x.mp3"),
    ],
)
def test_an_archive_may_have_another_top_folder_or_backslashes(small_corpus, names):
    zip_entries(small_corpus, {name: name.encode() for name in names})
    corpus = open_corpus(small_corpus)
    assert sorted(corpus.sizes()) == ["0/x.mp3", "1/y.mp3"]
    assert corpus.encoded("0/x.mp3") == names[0].encode()


def test_clips_in_several_folders_are_not_guessed(small_corpus):
    zip_entries(small_corpus, {"new/0/x.mp3": b"x", "old/0/x.mp3": b"y"})
    with pytest.raises(UserError, match=r"mp3\.zip: clips in several folders, new and old; keep"):
        open_corpus(small_corpus)


def test_two_entries_of_one_clip_are_not_guessed(small_corpus):
    zip_entries(small_corpus, {"0/x.mp3": b"x", "./0/x.mp3": b"x", "1/y.mp3": b"y"})
    assert sorted(open_corpus(small_corpus).sizes()) == ["0/x.mp3", "1/y.mp3"]
    zip_entries(small_corpus, {"0/x.mp3": b"x", "0\\x.mp3": b"y"})
    with pytest.raises(UserError, match=r"mp3\.zip: two different files are 0/x\.mp3; keep one"):
        open_corpus(small_corpus)


def test_a_folder_may_have_another_top_folder(small_corpus):
    sizes = open_corpus(small_corpus).sizes()
    (small_corpus / "MagnaTagATune/audio").mkdir(parents=True)
    for digit in "01ab":
        (small_corpus / digit).rename(small_corpus / "MagnaTagATune/audio" / digit)
    corpus = open_corpus(small_corpus)
    assert corpus.sizes() == sizes
    assert len(corpus.decode(CLIP).waveform) > 400_000
    shutil.copytree(small_corpus / "MagnaTagATune/audio", small_corpus / "copy")
    with pytest.raises(
        UserError, match="corpus: clips in several folders, MagnaTagATune/audio and"
    ):
        open_corpus(small_corpus)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ([(LOCAL, 6, b"\x01"), (CENTRAL, 8, b"\x01")], r"encrypted"),
        ([(CENTRAL, 34, b"\x03")], r"in a volume that is missing"),
        ([(LOCAL, 8, b"\x09"), (CENTRAL, 10, b"\x09")], r"compressed by method 9 \(deflate64\)"),
        ([(LOCAL, 8, b"\x0c"), (CENTRAL, 10, b"\x0c")], r"compressed by method 12 \(bzip2\)"),
        ([(LOCAL, 8, b"\x5d"), (CENTRAL, 10, b"\x5d")], r"compressed by method 93 \(unknown\)"),
    ],
)
def test_an_archive_that_can_not_be_read_is_said_once(small_corpus, changes, fault):
    zip_entries(small_corpus, {f"0/{number}.mp3": b"x" * 100 for number in range(20)})
    patched(small_corpus / "mp3.zip", *changes)
    with pytest.raises(
        UserError, match=f"20 of 20 clips can't be read, such as 0/0.mp3, .*{fault}"
    ):
        open_corpus(small_corpus)


def test_volumes_of_an_archive_are_named(small_corpus):
    zip_audio(small_corpus, parts=1)
    (small_corpus / "mp3.z01").write_bytes(b"x")
    with pytest.raises(UserError, match=r"mp3\.z01 and mp3\.zip are volumes .* `zip -s 0 mp3.zip"):
        open_corpus(small_corpus)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_an_entry_that_is_larger_than_it_says_is_not_read_whole(small_corpus, method):
    zip_entries(small_corpus, {CLIP: bytes(100_000_000)}, compression=method)
    patched(small_corpus / "mp3.zip", (CENTRAL, 24, (100).to_bytes(4, "little")))
    corpus = open_corpus(small_corpus)
    assert corpus.size(CLIP) == 100
    tracemalloc.start()
    with pytest.raises(BadClipError, match="undecodable"):
        corpus.decode(CLIP)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 70_000_000


@pytest.mark.parametrize("suffix", ["flac", "ogg", "wav"])
def test_clips_may_be_of_other_formats_than_mp3(small_corpus, suffix):
    tone = np.sin(np.arange(4000) * 0.3)
    path = f"0/a.{suffix}"
    soundfile.write(small_corpus / path, tone, 8000)
    (small_corpus / "0/a.txt").write_bytes(b"no clip")
    corpus = open_corpus(small_corpus)
    assert [name for name in corpus.sizes() if name.startswith("0/")] == [path, CLIP]
    waveform = corpus.waveform(path, sample_rate=8000)
    np.testing.assert_allclose(waveform, tone, atol=0.15)
    zip_entries(small_corpus, {f"mp3/{path}": (small_corpus / path).read_bytes()})
    assert open_corpus(small_corpus).decode(path).sample_rate == 8000


def test_names_may_have_spaces_and_umlauts_however_they_are_stored(small_corpus):
    name = "0/F\u00fcr Elise, no. 1.mp3"
    apart = "0/Fu\u0308r Elise, no. 1.mp3"
    for stored in (name, apart):
        (small_corpus / CLIP).rename(small_corpus / stored)
        corpus = open_corpus(small_corpus)
        size = corpus.size(name)
        assert size == corpus.size(apart) == corpus.sizes()[name] > 100_000
        assert corpus.crc32(name) == zlib.crc32(corpus.encoded(apart))
        (small_corpus / stored).rename(small_corpus / CLIP)
    for stored in (name, apart):
        zip_entries(small_corpus, {stored: b"x"})
        corpus = open_corpus(small_corpus)
        assert corpus.size(name) == corpus.size(apart) == 1
    patched(small_corpus / "mp3.zip", (LOCAL, 6, b"\0\0"), (CENTRAL, 8, b"\0\0"))  # no UTF-8 flag
    assert open_corpus(small_corpus).encoded(name) == b"x"


@pytest.mark.parametrize("parts", [0, 1])
def test_a_clip_with_another_checksum_is_refused(small_corpus, parts):
    if parts:
        zip_audio(small_corpus, parts=parts)
    crc32 = open_corpus(small_corpus).crc32(CLIP)
    assert crc32 == zlib.crc32(open_corpus(small_corpus).encoded(CLIP))
    assert len(Corpus(small_corpus, {CLIP: crc32}).decode(CLIP).waveform) > 400_000
    with pytest.raises(UserError, match=f"{CLIP} has changed since the download"):
        Corpus(small_corpus, {CLIP: crc32 ^ 1}).decode(CLIP)
    assert open_corpus(small_corpus).crc32("f/clip-f-0-29.mp3") is None


def test_a_header_that_promises_too_much_takes_no_memory(small_corpus):
    write_wav(small_corpus / CLIP, np.zeros((100, 2)))
    content = bytearray((small_corpus / CLIP).read_bytes())
    content[24:28] = (2_000_000_000).to_bytes(4, "little")  # Hz
    (small_corpus / CLIP).write_bytes(content)
    assert len(open_corpus(small_corpus).decode(CLIP).waveform) == 100


def test_a_sample_that_is_not_a_number_in_one_channel_is_non_finite(small_corpus):
    samples = 0.1 * np.ones((1000, 2), np.float32)
    samples[500, 1] = np.nan
    soundfile.write(small_corpus / CLIP, samples, 16_000, format="WAV", subtype="FLOAT")
    with pytest.raises(BadClipError, match="non_finite"):
        open_corpus(small_corpus).decode(CLIP)


def test_own_files_of_magnatagatune_say_so_and_no_folder_passes_for_them():
    assert own_title(0) == "magnatagatune (own files)"
    assert own_title(3) == "magnatagatune (own files, 3 clips missing)"
    for title in ("magnatagatune", own_title(0), own_title(3)):
        assert is_magnatagatune(title)
    assert is_whole_magnatagatune(own_title(0))
    assert not is_whole_magnatagatune(own_title(3))
    assert not is_magnatagatune(corpus_title("magnatagatune (own files)"))


@pytest.mark.parametrize("left", [(1, 3), (1, 2), ()])
def test_unpacked_clips_are_used_where_the_archive_is_not_whole(small_corpus, left):
    """The last part, or one before it, is missing; or the whole archive ends too early."""
    expected = open_corpus(small_corpus).fingerprint()
    signature = audio_signature(str(small_corpus))
    copy = small_corpus.with_name("copy")
    shutil.copytree(small_corpus, copy)
    zip_audio(copy, parts=3)
    for part in left:
        shutil.copy(copy / f"mp3.zip.00{part}", small_corpus)
    if not left:
        shutil.copy(copy / "mp3.zip.001", small_corpus / "mp3.zip")
    assert open_corpus(small_corpus).fingerprint() == expected
    assert audio_signature(str(small_corpus)) == signature


@pytest.mark.parametrize("parts", [1, 3])
def test_an_archive_that_is_whole_is_used_although_clips_are_unpacked(small_corpus, parts):
    copy = small_corpus.with_name("copy")
    shutil.copytree(small_corpus, copy)
    zip_audio(copy, parts=parts)
    for part in copy.glob("mp3.zip*"):
        shutil.copy(part, small_corpus)
    assert open_corpus(small_corpus).fingerprint() == open_corpus(copy).fingerprint()


def test_an_unrelated_folder_with_a_hexadecimal_name_is_not_taken_for_clips(small_corpus):
    sizes = open_corpus(small_corpus).sizes()
    (small_corpus / "mp3").mkdir()
    for digit in "01ab":
        (small_corpus / digit).rename(small_corpus / "mp3" / digit)
    (small_corpus / "a").mkdir()
    (small_corpus / "a/notes.txt").write_text("not audio")
    assert open_corpus(small_corpus).sizes() == sizes


def test_a_link_to_the_clips_of_another_folder_is_refused_with_a_way_out(small_corpus):
    outside = small_corpus.with_name("outside")
    outside.mkdir()
    for digit in "01ab":
        (small_corpus / digit).rename(outside / digit)
    (small_corpus / "mp3").symlink_to(outside)
    with pytest.raises(UserError, match=r"leaves the corpus .*or put both tables into its real"):
        open_corpus(small_corpus).sizes()
    for table in small_corpus.glob("*.csv"):
        table.rename(outside / table.name)
    assert len(open_corpus(outside).sizes()) == 4


@pytest.mark.parametrize("corpus", ["demo", "magnatagatune"])
@pytest.mark.parametrize("there", [False, True])
def test_audio_that_is_gone_since_the_download_is_named_with_a_way_out(
    tmp_path, monkeypatch, corpus, there
):
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(tmp_path / "corpora"))
    (tmp_path / "audio.json").write_text(json.dumps({"corpus": corpus}))
    (tmp_path / "clips.csv").write_text("mp3_path,crc32\n")
    if there:
        (tmp_path / "corpora" / corpus).mkdir(parents=True)
    message = f"{corpus}: the audio of {corpus} is gone; set AUTOTAGGING_CORPORA .* --forcerun "
    with pytest.raises(UserError, match=message):
        open_corpus(tmp_path)
