"""What the surroundings of a command can do to it: a full disk, no home folder."""

from commands import autotagging, download, extract_shard

NO_HOME = "/dev/null/home"  # can't be made, even by root


def test_a_full_disk_names_the_file(small_corpus, tmp_path):
    message = download(small_corpus, tmp_path / "out", code=2, most_bytes=100)
    path = tmp_path / "out/annotations_final.csv"
    assert message == f"autotagging: {path}: File too large\n"


def test_a_folder_that_is_a_file_is_named(small_corpus, tmp_path):
    (tmp_path / "out").touch()
    message = download(small_corpus, tmp_path / "out", code=2)
    assert message in (
        f"autotagging: {tmp_path}/out: File exists\n",
        f"autotagging: {tmp_path}/out: Not a directory\n",
    )


def test_a_home_that_cant_be_written_is_not_needed(downloaded):
    """Numba, without a place for its cache next to librosa, looks for one in the home folder."""
    env = {"HOME": NO_HOME, "XDG_CACHE_HOME": f"{NO_HOME}/.cache"}
    env["NUMBA_CACHE_LOCATOR_CLASSES"] = "UserProvidedCacheLocator,UserWideCacheLocator"
    extract_shard(downloaded, 0, 1, env=env)


def test_a_figure_without_a_home_complains_of_nothing(tmp_path):
    (tmp_path / "tags.csv").write_text("tag,count\ndrum,5\n")
    (tmp_path / "raw_tags.csv").write_text("raw_tag,count,merged_into\ndrum,5,drum\n")
    (tmp_path / "audio.json").write_text('{"title": "demo"}')
    message = autotagging(
        *("figures", "figure_2", "--tags", tmp_path / "tags.csv"),
        *("--raw-tags", tmp_path / "raw_tags.csv", "--audio", tmp_path / "audio.json"),
        *("--svg", tmp_path / "out.svg", "--png", tmp_path / "out.png"),
        env={"HOME": NO_HOME, "XDG_CACHE_HOME": f"{NO_HOME}/.cache"},
    )
    assert message == ""
