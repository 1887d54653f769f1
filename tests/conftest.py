"""What several tests need."""

import hashlib
import os
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

ROOT = Path(__file__).parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Choose order and groups; a worker runs a whole group, and makes its fixtures once.

    Whole pipelines come first, because they take longest. Commands share a trained model.
    """
    rooms = ("workflow", "steps")
    items.sort(key=lambda item: [room not in item.path.parts for room in rooms])
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            group = "steps" if "steps" in item.path.parts else item.path.stem
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def magnatagatune() -> Path:
    """Folder with the official tables and a real clip, beside the checkout where it is there."""
    return _shared("magnatagatune")


@pytest.fixture(scope="session")
def realmusic() -> Path:
    """Folder with real music in the official format."""
    return _shared("realmusic")


@pytest.fixture(scope="session")
def msd_crnn() -> Path:
    """Folder with the published weights of MusicTaggerCRNN, a song, and the author's features."""
    return _shared("msd_crnn")


def _shared(name: str) -> Path:
    folder = ROOT.parent / "shared" / name
    if not folder.is_dir():
        pytest.skip(f"needs the data in {folder}, which can't be part of the project")
    return folder


@pytest.fixture
def small_corpus(small_tables: Path) -> Path:
    """Corpus folder of five annotated clips: three good, one empty, one missing."""
    rng = np.random.default_rng(0)
    for digit in "01ab":
        path = small_tables / f"{digit}/clip-{digit}-0-29.mp3"
        path.parent.mkdir()
        if digit == "b":
            path.touch()
        else:
            write_mp3(path, 0.1 * rng.standard_normal(464_832))
    return small_tables


@pytest.fixture
def small_tables(tmp_path: Path) -> Path:
    """Corpus folder with the tables of five annotated clips, and no audio."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    names = [f"{digit}/clip-{digit}-0-29.mp3" for digit in "01abf"]
    write_table(
        folder / "annotations_final.csv",
        pd.DataFrame(
            {
                "clip_id": [2, 6, 10, 11, 15],
                "beat": [1, 0, 0, 0, 1],
                "beats": [0, 1, 0, 0, 0],
                "flute": [0, 1, 1, 0, 1],
                "harp": [0, 0, 0, 0, 0],
                "mp3_path": names,
            }
        ),
    )
    write_table(
        folder / "clip_info_final.csv",
        pd.DataFrame(
            {
                "clip_id": [2, 6, 10, 11, 15, 16],
                "track_number": [1, 1, 2, 1, 1, 3],
                "title": ["t"] * 6,
                "artist": ["A", "A", "A", "B", "B", "B"],
                "album": ["x", "x", "x", "y", "z", "z"],
                "url": ["u/x", "u/x", "u/x", "u/y", "u/z", "u/z"],
                "segmentStart": [0] * 6,
                "segmentEnd": [29] * 6,
                "original_url": ["o"] * 6,
                "mp3_path": [*names, ""],
            }
        ),
    )
    return folder


def write_mp3(path: Path, waveform: np.ndarray, sample_rate: int = 16_000) -> None:
    soundfile.write(
        path,
        waveform,
        sample_rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=0.84,
    )


def write_table(path: Path, table: pd.DataFrame) -> None:
    table.to_csv(path, sep="\t", index=False, quoting=1, lineterminator="\r\n")


def write_shards(folder: Path, *shards: dict[int, np.ndarray | None]) -> Path:
    """Write shards of spectrograms by clip_id, None for a bad clip; return the summary."""
    listed = []
    for number, clips in enumerate(shards):
        name = f"shard-{number:02}"
        shape = next(mel.shape for mel in clips.values() if mel is not None)
        arrays = [np.zeros(shape, np.float16) if mel is None else mel for mel in clips.values()]
        np.save(folder / f"{name}.npy", np.stack(arrays).astype(np.float16))
        table = pd.DataFrame({"clip_id": list(clips), "row": range(len(clips)), "seconds": 29.124})
        table["status"] = ["empty" if mel is None else "ok" for mel in clips.values()]
        table["crc32"] = [zlib.crc32(mel.astype(np.float16)) for mel in arrays]
        table.to_csv(folder / f"{name}.csv", index=False)
        checksum = hashlib.sha256((folder / f"{name}.csv").read_bytes()).hexdigest()
        (folder / f"{name}.json").write_text('{"python": "3.11"}')
        listed.append({"shard": name, "clips": len(clips), "table_sha256": checksum})
    pd.DataFrame(listed).to_csv(folder / "summary.csv", index=False)
    return folder / "summary.csv"
