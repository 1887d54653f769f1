"""Published weights become a model with the same scores; any other file is refused unread."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.corpus.decoding import decode_audio
from autotagging.mel.spectrogram import log_mel
from autotagging.models.stored import build_network, check_data, load_model
from autotagging.tools.export import export
from autotagging.tools.import_weights import import_weights

h5py = pytest.importorskip("h5py")
keras = pytest.importorskip("keras")

pytestmark = pytest.mark.training

# By its author, to three digits, of the song's published features.
PUBLISHED = {
    "Hip-Hop": 0.245,
    "rock": 0.183,
    "alternative": 0.081,
    "electronic": 0.076,
    "alternative rock": 0.053,
    "metal": 0.051,
    "indie": 0.028,
    "instrumental": 0.027,
}


def layout() -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays in the published file, by path."""
    shapes = {}
    for layer, size in [("bn_0_freq", 1440), ("bn1", 64), ("bn2", 128), ("bn3", 128), ("bn4", 128)]:
        for name in ("gamma", "beta", "running_mean", "running_std"):
            shapes[f"{layer}/{layer}_{name}_1:0"] = (size,)
    for layer, inputs, filters in [(1, 1, 64), (2, 64, 128), (3, 128, 128), (4, 128, 128)]:
        shapes[f"conv{layer}/conv{layer}_W_1:0"] = (filters, inputs, 3, 3)
        shapes[f"conv{layer}/conv{layer}_b_1:0"] = (filters,)
    for layer, inputs in [(1, 128), (2, 32)]:
        for gate in "zrh":
            shapes[f"gru{layer}/gru{layer}_W_{gate}:0"] = (inputs, 32)
            shapes[f"gru{layer}/gru{layer}_U_{gate}:0"] = (32, 32)
            shapes[f"gru{layer}/gru{layer}_b_{gate}:0"] = (32,)
    return {**shapes, "output/output_W_1:0": (32, 50), "output/output_b_1:0": (50,)}


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    """Random arrays in the published layout, with gates on both sides of their limits."""
    rng = np.random.default_rng(0)
    made = {}
    for path, shape in layout().items():
        spread = 0.05 if "conv" in path else 0.5
        made[path] = rng.normal(0, spread, shape).astype(np.float32)
        if "running_std" in path:
            made[path] = np.abs(made[path]) + 0.5
    return made


def write_file(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    with h5py.File(path, "w") as file:
        for name in ("input_2", "dropout1", "permute_1"):  # layers without weights
            file.create_group(name)
        for name, array in arrays.items():
            file[name] = array
    return path


@pytest.fixture(scope="module")
def imported(arrays, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("imported")
    import_weights(write_file(folder / "weights.h5", arrays), out=folder / "model")
    return folder / "model"


def gru(sequence: np.ndarray, arrays: dict[str, np.ndarray], layer: int) -> np.ndarray:
    """States of a GRU of Keras 1: (batch, steps, inputs) -> (batch, steps, 32)."""
    w, u, b = (
        {gate: arrays[f"gru{layer}/gru{layer}_{kind}_{gate}:0"].astype(float) for gate in "zrh"}
        for kind in "WUb"
    )

    def gate(name: str, x: np.ndarray, h: np.ndarray) -> np.ndarray:
        return np.clip(0.2 * (x @ w[name] + h @ u[name] + b[name]) + 0.5, 0, 1)

    states = [np.zeros((len(sequence), 32))]
    for x in sequence.astype(float).swapaxes(0, 1):
        h = states[-1]
        z, r = gate("z", x, h), gate("r", x, h)
        states.append(z * h + (1 - z) * np.tanh(x @ w["h"] + (r * h) @ u["h"] + b["h"]))
    return np.stack(states[1:], axis=1)


def test_scores_are_those_of_the_recurrent_layers_of_keras_1(imported, arrays):
    network = build_network(load_model(imported / "model.json"))
    mel = np.random.default_rng(1).normal(0, 20, (2, 96, 1366)).astype(np.float32)
    sequence = keras.Model(network.input, network.get_layer("sequence").output)(mel).numpy()
    last = gru(gru(sequence, arrays, 1), arrays, 2)[:, -1]
    logits = last @ arrays["output/output_W_1:0"] + arrays["output/output_b_1:0"]
    np.testing.assert_allclose(network(mel), 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_every_array_is_where_it_belongs(imported, arrays):
    """A kernel is (rows, columns, inputs, filters) here; what is called std is the variance."""
    found = load_model(imported / "model.json").arrays
    kernel = arrays["conv2/conv2_W_1:0"]
    assert found["conv_2/kernel"].shape == (3, 3, 64, 128)
    assert found["conv_2/kernel"][0, 2, 5, 7] == kernel[7, 5, 0, 2]
    variance = arrays["bn_0_freq/bn_0_freq_running_std_1:0"]
    np.testing.assert_array_equal(found["input_norm/moving_variance"], variance)
    assert sum(array.size for array in found.values()) == sum(each.size for each in arrays.values())


def test_the_model_says_what_is_known_of_it(imported):
    model = load_model(imported / "model.json").description
    assert model["trainable_parameters"] == 396_786  # as published
    assert model["front_end"]["log_scale"] == "squared_power_db"
    assert model["front_end"]["frames"] == 1366
    assert (model["seed"], model["thresholds"]) == (None, "not published")
    assert "MIT licence" in model["trained_on"]["source"]
    assert (len(model["tags"]), model["tags"][0], model["tags"][49]) == (50, "rock", "happy")
    lines = (imported / "SHA256SUMS").read_text().splitlines()
    assert [line[66:] for line in lines] == ["model.json", "versions.json", "weights.npz"]
    assert lines[0][:64] == hashlib.sha256((imported / "model.json").read_bytes()).hexdigest()


def test_a_file_that_is_not_the_published_one_is_noted(arrays, tmp_path, capsys):
    import_weights(write_file(tmp_path / "other.h5", arrays), out=tmp_path / "model")
    message = capsys.readouterr().err
    assert "other.h5 has the arrays of the published file, but is another" in message


def test_an_imported_model_is_not_evaluated(imported, tmp_path):
    (tmp_path / "labels.csv").write_text("clip_id,mp3_path,a\n")
    with pytest.raises(UserError, match="it does not say which labels it was trained with"):
        check_data(load_model(imported / "model.json"), labels=tmp_path / "labels.csv")


def test_the_tags_have_categories_and_no_thresholds(imported):
    rows = [*csv.DictReader((imported / "per_tag.csv").read_text().splitlines())]
    assert [row["tag"] for row in rows] == load_model(imported / "model.json").description["tags"]
    by_category = {
        category: [row["tag"] for row in rows if row["category"] == category]
        for category in ("genre", "mood", "instrument", "vocal", "era")
    }
    assert sum(map(len, by_category.values())) == 50
    assert by_category["era"] == ["00s", "80s", "90s", "oldies", "70s", "60s"]
    assert by_category["instrument"] == ["acoustic", "guitar"]
    assert {row["threshold"] for row in rows} == {""}


def test_one_threshold_can_be_given_for_all_tags(arrays, tmp_path):
    path = write_file(tmp_path / "weights.h5", arrays)
    import_weights(path, out=tmp_path / "model", threshold=0.2)
    lines = (tmp_path / "model/per_tag.csv").read_text().splitlines()
    assert lines[:2] == ["tag,category,threshold", "rock,genre,0.2"]
    with pytest.raises(UserError, match="--threshold 0: expected a score above 0, at most 1"):
        import_weights(path, out=tmp_path / "model", threshold=0.0)


def text(path, arrays):
    path.write_text("no arrays")


def cut(path, arrays):
    write_file(path, arrays)
    path.write_bytes(path.read_bytes()[:2000])


def too_large(path, arrays):
    with path.open("wb") as file:
        file.truncate(17 * 2**20)


def changed(name, change):
    """Make a function that writes a file in which one array is changed, or left out."""

    def make(path, arrays):
        others = {key: array for key, array in arrays.items() if key != name}
        array = change(arrays[name])
        write_file(path, others if array is None else {**others, name: array})

    return make


def edited(edit):
    """Make a function that writes a file and then edits it."""

    def make(path, arrays):
        write_file(path, arrays)
        with h5py.File(path, "r+") as file:
            edit(file)

    return make


BIAS = "output/output_b_1:0"


def relinked(link):
    def edit(file):
        del file[BIAS]
        file[BIAS] = link

    return edited(edit)


def replaced(**options):
    def edit(file):
        del file[BIAS]
        file.create_dataset(BIAS, shape=50, dtype="f4", **options)

    return edited(edit)


def group_for_array(file):
    del file[BIAS]
    file.create_group(BIAS)


def virtual(file):
    del file[BIAS]
    source = h5py.VirtualSource("elsewhere.h5", "data", shape=(50,), dtype="f4")
    layout = h5py.VirtualLayout(shape=(50,), dtype="f4")
    layout[:] = source
    file.create_virtual_dataset(BIAS, layout)


def layer_elsewhere(file):
    file.move("conv1", "moved")
    file["conv1"] = h5py.SoftLink("/moved")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (text, "not an HDF5 file"),
        (cut, "not a readable HDF5 file"),
        (too_large, "larger than 16 MiB: not these weights"),
        (changed(BIAS, lambda bias: None), "no array in /output of the name 'output_b_1:0'"),
        (changed(BIAS, lambda bias: bias[:49]), r"output_b_1:0 is \(49,\) float32, expected \(50,"),
        (changed(BIAS, lambda bias: bias.astype(float)), r"is \(50,\) float64, expected \(50,\) f"),
        (changed(BIAS, lambda bias: bias.astype(">f4")), r"is \(50,\) >f4, expected \(50,\) float"),
        (changed(BIAS, lambda bias: bias * np.nan), "output_b_1:0 has values that are not finite"),
        (edited(lambda file: file.pop("conv3")), "no layer of the name 'conv3'"),
        (edited(lambda file: file.update(dense_1=3)), "'/dense_1' is no group"),
        (edited(lambda file: file.create_group("x/y")), "an unknown layer: 'x'"),
        (edited(lambda file: file["gru1"].create_group("y")), "unknown array in /gru1: 'y'"),
        (edited(group_for_array), "'/output/output_b_1:0' is no dataset"),
        (relinked(h5py.SoftLink("/conv1/conv1_b_1:0")), "'/output/output_b_1:0' is a link"),
        (relinked(h5py.ExternalLink("other.h5", "/data")), "'/output/output_b_1:0' is a link"),
        (edited(layer_elsewhere), "'/conv1' is a link; expected a group"),
        (edited(virtual), "is in pieces or in another file"),
        (replaced(external=[("/etc/passwd", 0, 200)]), "is in pieces or in another file"),
        (replaced(chunks=(2**25,), maxshape=(None,)), "is in pieces or in another file"),
        (replaced(compression="gzip"), "is in pieces or in another file"),
    ],
)
def test_a_file_that_is_not_such_weights_is_refused(arrays, tmp_path, make, message):
    path = tmp_path / "weights.h5"
    make(path, arrays)
    with pytest.raises(UserError, match=message):
        import_weights(path, out=tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.fixture(scope="module")
def published(msd_crnn, tmp_path_factory) -> Path:
    """A model of the published weights, and what is exported of it."""
    folder = tmp_path_factory.mktemp("published")
    file = msd_crnn / "music_tagger_crnn_weights_tensorflow.h5"
    import_weights(file, out=folder)
    export(model_json=folder / "model.json", out=folder / "exported")
    return folder


def score_keras(folder):
    return build_network(load_model(folder / "model.json"))


def score_exported(folder):
    return keras.saving.load_model(folder / "exported/model.keras", safe_mode=True)


def score_onnx(folder):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(folder / "exported/model.onnx")
    return lambda mel: session.run(["tags"], {"log_mel": mel})[0]


def by_tag(folder, score, mel):
    tags = json.loads((folder / "model.json").read_text())["tags"]
    return dict(zip(tags, np.asarray(score(folder)(mel))[0].tolist(), strict=True))


@pytest.mark.parametrize("score", [score_keras, score_exported, score_onnx])
def test_the_authors_scores_are_met_to_three_digits(msd_crnn, published, score):
    mel = np.load(msd_crnn / "bensound-dubstep.npy")[0].astype(np.float32)
    scores = by_tag(published, score, mel)
    best = sorted(scores, key=scores.get, reverse=True)[: len(PUBLISHED)]
    assert {tag: round(scores[tag], 3) for tag in best} == PUBLISHED


@pytest.mark.parametrize(("delay", "most"), [(150, 0.0005), (0, 0.1)])
def test_from_the_song_the_scores_are_near_those(msd_crnn, published, delay, most):
    """With the 150 samples by which the author's decoder was late, they are the same."""
    decoded = decode_audio((msd_crnn / "bensound-dubstep.mp3").read_bytes(), longest=60)
    samples = decoded.resampled(12_000)
    start = (len(samples) - 349_440) // 2 + delay
    mel = log_mel(
        samples[start : start + 349_440],
        sample_rate=12_000,
        n_fft=512,
        hop_length=256,
        n_mels=96,
        log_scale="squared_power_db",
    )
    scores = by_tag(published, score_keras, mel[None])
    assert max(scores, key=scores.get) == "Hip-Hop"
    assert all(abs(scores[tag] - PUBLISHED[tag]) <= most for tag in PUBLISHED)
