"""What a person runs by hand, as commands."""

import json
import subprocess
import sys

import numpy as np
import pytest

from commands import (
    autotagging,
    evaluate,
    extract_mel,
)


def test_verify_says_ok_or_what_is_faulty(small_corpus):
    autotagging("verify", "--corpus", small_corpus, code=2)
    (small_corpus / "f").mkdir()
    (small_corpus / "0/clip-0-0-29.mp3").rename(small_corpus / "f/clip-f-0-29.mp3")
    message = autotagging("verify", "--corpus", small_corpus, code=2)
    assert message == (
        f"autotagging: {small_corpus}: 1 fault; repair the files above, or get them again\n"
    )
    (small_corpus / "0/clip-0-0-29.mp3").touch()
    assert autotagging("verify", "--corpus", small_corpus) == ""


SCORE_WITH_KERAS = """
import sys
from importlib.abc import MetaPathFinder

class Blocker(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        assert not name.startswith("autotagging"), "the package was asked for"

sys.meta_path.insert(0, Blocker())
import keras
import numpy as np

mel = np.load(sys.argv[2])[4:].astype(np.float32)
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
np.save(sys.argv[3], model.predict(mel, verbose=0))
"""


def test_the_keras_file_scores_the_same_where_this_package_can_not_be_imported(
    trained, exported, tmp_path
):
    folder, _ = trained
    evaluate(folder, "one")
    files = [exported[0] / "model.keras", folder / "shard-00.npy", tmp_path / "scores.npy"]
    subprocess.run([sys.executable, "-I", "-c", SCORE_WITH_KERAS, *map(str, files)], check=True)
    with np.load(folder / "one/predictions.npz") as arrays:
        np.testing.assert_allclose(np.load(files[-1]), arrays["scores"], atol=1e-5)


def test_the_onnx_file_scores_the_same_and_names_its_tags(trained, exported):
    reason = "the extra `export` is not installed"
    pytest.importorskip("tf2onnx", reason=reason)
    onnxruntime = pytest.importorskip("onnxruntime", reason=reason)
    folder, _ = trained
    evaluate(folder, "one")
    session = onnxruntime.InferenceSession(exported[0] / "model.onnx")
    mel = np.load(folder / "shard-00.npy")[4:].astype(np.float32)
    (scores,) = session.run(["tags"], {"log_mel": mel})
    with np.load(folder / "one/predictions.npz") as arrays:
        np.testing.assert_allclose(scores, arrays["scores"], atol=1e-5)
    assert json.loads(session.get_modelmeta().custom_metadata_map["tags"]) == ["a", "b"]


def test_an_export_says_what_goes_in_and_what_comes_out(exported):
    out, message = exported
    assert message.endswith("tags.txt, README.md\n")
    assert not [path for path in out.iterdir() if path.name.startswith(".partial")]
    assert (out / "tags.txt").read_text() == "a\nb\n"
    page = (out / "README.md").read_text()
    assert "`log_mel`, float32, (batch, 96, 235)" in page
    assert "dB: 10 log10 of the mel power" in page
    assert "- sample_rate: 12000\n" in page
    assert "- audio_sha256: ffff" in page


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_number_that_is_not_finite_is_one_line(tmp_path, value):
    message = extract_mel(tmp_path, 1, value, code=2)
    assert f"{value} is not a finite number" in message
    assert message.count("\n") == 1


def test_a_command_of_another_copy_of_the_package_says_so(tmp_path):
    (tmp_path / "src/autotagging").mkdir(parents=True)
    (tmp_path / "Snakefile").touch()
    code = "from autotagging.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code, "split"], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.stderr.startswith("warning: this command is ")


def test_a_missing_flag_and_an_unknown_command_are_one_line():
    assert autotagging("split", code=2).count("\n") == 1
    assert "Unknown command" in autotagging("spilt", code=2)
