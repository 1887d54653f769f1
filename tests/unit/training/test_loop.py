"""The training loop, on a model small enough for a test."""

import dataclasses
import re
import time
from pathlib import Path

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.training.checkpoints import Checkpoints
from autotagging.training.epoch_metrics import cross_entropy
from networks import checkpoints_in, training_settings

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def training():
    from autotagging.training import loop as training

    return training


def make_model(*, regular=True):
    """Model whose scores depend on batch and dropout, or on the clip alone."""
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Flatten(), keras.layers.Dense(2, activation="sigmoid")]
    if regular:
        layers = [keras.layers.BatchNormalization(), *layers]
        layers.insert(2, keras.layers.Dropout(0.2))
    return keras.Sequential([keras.Input((4, 6)), *layers])


@pytest.fixture
def examples(training):
    """Clips whose first tag is the sign of their mean, the second that of their first bin."""
    rng = np.random.default_rng(0)
    mel = rng.normal(0, 1, (60, 4, 6)).astype(np.float16)
    labels = np.stack([mel.mean(axis=(1, 2)) > 0, mel[:, 0].mean(axis=1) > 0], axis=1)

    def make(clips):
        return training.Examples(
            clip_ids=clips,
            labels=labels[clips].astype(np.float32),
            gather=lambda ids: mel[ids],
        )

    return make(np.arange(45)), make(np.arange(45, 60))


class NoCheckpoints(Checkpoints):
    def __init__(self):
        super().__init__(
            Path("nowhere"), fingerprint="", devices="", keep_epochs="last", minutes=10
        )

    def save(self, arrays):
        pass

    def save_epoch(self, epoch, weights):
        pass


def fit(training, examples, *, checkpoints=None, regular=True, model=None, **changes):
    """Train for a few epochs; the changes are of the settings."""
    from autotagging.training.devices import ONE_DEVICE

    model = model or make_model(regular=regular)
    fitted = training.fit(
        model,
        *examples,
        training_settings(**changes),
        name="own",
        seed=0,
        devices=ONE_DEVICE,
        checkpoints=checkpoints or NoCheckpoints(),
    )
    return model, fitted


def test_it_learns_and_keeps_the_best_epoch(training, examples):
    model, result = fit(training, examples, epochs=12)
    assert result.history["epoch"].tolist() == list(range(1, 13))
    assert result.history["val_auc"].iloc[-1] > 0.8
    assert result.best_epoch == result.history["val_loss"].idxmin() + 1
    from autotagging.training import step

    score = step.make_scorer(model)
    scores = score(examples[1].clip_ids, examples[1].gather, batch_size=4)
    loss = keras.losses.BinaryCrossentropy()(examples[1].labels, scores)
    assert float(loss) == pytest.approx(result.history["val_loss"].min(), abs=1e-5)


def test_the_loss_of_an_epoch_is_the_mean_over_its_clips(training, examples):
    """Nothing is learned; the last of the batches has five clips, the others eight."""
    model, result = fit(training, examples, epochs=2, learning_rate=0.0, regular=False)
    train, _ = examples
    scores = model.predict(train.gather(train.clip_ids), verbose=0)
    expected = cross_entropy(train.labels, scores)
    assert result.history["loss"].tolist() == pytest.approx([expected, expected], rel=1e-5)


def test_val_auc_can_choose_the_epoch(training, examples):
    _, result = fit(training, examples, monitor="val_auc")
    assert result.best_epoch == result.history["val_auc"].idxmax() + 1


def test_the_same_seed_gives_the_same_bits(training, examples):
    (one, first), (two, second) = fit(training, examples), fit(training, examples)
    assert first.history.equals(second.history)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_epoch_has_an_order_of_its_own(training, examples, monkeypatch):
    seen = []
    monkeypatch.setattr(training, "prefetched", record_batches(seen, training.prefetched))
    fit(training, examples, epochs=2)
    orders = [np.concatenate(batches).tolist() for batches in seen if len(batches) == 6]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(45))
    assert orders[0] != orders[1]


def record_batches(seen, original):
    def prefetched(gather, batches, waiting):
        seen.append(batches)
        return original(gather, batches, waiting)

    return prefetched


def test_before_any_step_scores_are_the_share_of_each_tag():
    from autotagging.training import step

    model = make_model()
    labels = np.array([[1, 0], [0, 0], [0, 0], [0, 0]])
    step.set_output_bias(model, labels, model="any")
    # 1.5 : 3.5 and 0.5 : 4.5 with half a clip added to both sides.
    scores = 1 / (1 + np.exp(-np.asarray(model.layers[-1].bias)))
    assert scores.tolist() == pytest.approx([0.3, 0.1])


def test_the_loss_of_a_step_is_without_the_penalty_which_its_gradients_have():
    """So that the training loss can be compared with the validation loss."""
    from autotagging.training.optimizer import make_optimizer
    from autotagging.training.step import make_train_step

    moved = {}
    for strength in (0.0, 10.0):
        keras.utils.set_random_seed(0)
        penalty = keras.regularizers.L2(strength) if strength else None
        layers = [keras.layers.Flatten(), keras.layers.Dense(2, "sigmoid", False)]
        layers[1].kernel_regularizer = penalty
        model = keras.Sequential([keras.Input((4, 6)), *layers])
        before = model.get_weights()[0]
        step = make_train_step(model, make_optimizer(model, 0.01))
        loss, _ = step(np.zeros((3, 4, 6), np.float16), np.array([[1, 0]] * 3, np.float32))
        assert float(loss) == pytest.approx(np.log(2))
        moved[strength] = np.abs(model.get_weights()[0] - before).max()
    assert moved[0.0] == 0 < moved[10.0]


def test_patience_stops(training, examples, capsys):
    _, result = fit(training, examples, epochs=50, learning_rate=3.0, patience=2)
    assert len(result.history) < 50
    assert len(result.history) - result.best_epoch == 2
    assert "no better epoch in 2" in capsys.readouterr().err


def test_it_says_once_how_long_it_takes_before_an_epoch_ends(training, examples, capsys):
    fit(training, examples, epochs=2)
    what, forecast, *epochs = capsys.readouterr().err.splitlines()
    assert what == "45 clips, 74 parameters, one device"
    assert re.fullmatch(r"[\d.]+ clips/s, about 0:\d\d:\d\d for 2 epochs", forecast)
    assert [line.split("  ")[0] for line in epochs] == ["epoch 1/2", "epoch 2/2"]


def test_the_speed_is_that_of_a_step_that_needs_no_compiling(training, monkeypatch, capsys):
    """Steps of sizes that no earlier one had are slow, and say nothing."""
    seconds = {1: 9.0, 2: 0.5}

    def step(mel, labels):
        clock[0] += seconds.pop(len(labels), 2.0)
        return np.float32(0.25), mel

    clock = [0.0]
    monkeypatch.setattr(training.time, "perf_counter", lambda: clock[0])
    timed = training._forecasting(step, n_clips=40, epochs=3)
    for size in (2, 1, 2, 1):
        assert timed("mel", np.zeros((size, 1))) == (0.25, "mel")
    assert capsys.readouterr().err == "1.0 clips/s, about 0:02:00 for 3 epochs\n"


def test_waiting_for_a_slow_disk_is_told_and_recorded(training, examples, capsys):
    def slow(gather):
        return lambda clips: (time.sleep(0.02), gather(clips))[1]

    clips = [dataclasses.replace(part, gather=slow(part.gather)) for part in examples]
    _, result = fit(training, clips, epochs=2)
    assert result.times["waiting"].between(0, result.times["seconds"], inclusive="neither").all()
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.search(r" s  waiting \d+\.\d %  to go 0:00:00$", last)


def test_divergence_is_an_error_that_names_the_step_and_the_learning_rate(training, examples):
    message = "loss is nan in epoch 1, step 2, at a learning rate of nan; try a lower"
    with pytest.raises(UserError, match=message):
        fit(training, examples, learning_rate=float("nan"))


def test_validation_scores_that_are_not_finite_are_an_error_too(training, examples):
    train, validation = examples
    spoilt = dataclasses.replace(validation, gather=lambda clips: train.gather(clips) * np.nan)
    message = "validation scores are not finite in epoch 1, step 6"
    with pytest.raises(UserError, match=message):
        fit(training, (train, spoilt), epochs=1)


class Unused(keras.layers.Layer):
    """A layer with a weight that is not finite, and that no score depends on."""

    def build(self, _):
        self.add_weight(name="unused", initializer="zeros", trainable=False).assign(np.inf)

    def call(self, inputs):
        return inputs


def test_weights_that_are_not_finite_are_an_error_and_not_kept(training, examples, tmp_path):
    for _ in range(2):  # a second run says the same
        layers = [Unused(name="own"), keras.layers.Flatten(), keras.layers.Dense(2, "sigmoid")]
        with pytest.raises(UserError, match="own/unused' is not finite in epoch 1, step 6"):
            fit(
                training,
                examples,
                model=keras.Sequential([keras.Input((4, 6)), *layers]),
                checkpoints=checkpoints_in(tmp_path),
            )
    assert not [*tmp_path.iterdir()]


def test_scores_outside_0_to_1_are_an_error_after_the_first_epoch(training, examples):
    layers = [keras.layers.Flatten(), keras.layers.Dense(2, bias_initializer="ones")]
    linear = keras.Sequential([keras.Input((4, 6)), *layers])
    with pytest.raises(UserError, match=r"^model 'own': its scores are from .* be from 0 to 1"):
        fit(training, examples, model=linear)


def test_the_learning_rate_named_is_that_of_the_step(training, examples):
    """The first clip of step 4 is spoilt; half a cosine wave of 6 steps is at its middle there."""
    train, validation = examples
    spoilt = np.random.default_rng([0, 1]).permutation(45)[24]

    def gather(clips):
        mel = train.gather(clips)
        mel[clips == spoilt] = np.nan
        return mel

    message = r"epoch 1, step 4, at a learning rate of 0\.025; try a lower train\.learning_rate"
    clips = dataclasses.replace(train, gather=gather), validation
    with pytest.raises(UserError, match=message):
        fit(training, clips, schedule="cosine", epochs=1)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        # (1 + cos(pi n / 8)) / 2 of 0.4
        ("cosine", [0.4, 0.3848, 0.3414, 0.2765, 0.2, 0.1235, 0.0586, 0.0152]),
        ("step", [0.4, 0.4, 0.4, 0.4, 0.04, 0.04, 0.004, 0.004]),
    ],
)
def test_schedules_of_the_learning_rate(schedule, expected):
    from autotagging.training import optimizer

    rates = optimizer.learning_rates(schedule, 0.4, steps=8)
    assert [float(rates(step)) for step in range(8)] == pytest.approx(expected, abs=1e-4)


class Stopped(Exception):
    pass


def stop_after(monkeypatch, training, batches):
    """Raise at the end of the batch that follows the given number of batches."""
    ended = iter(range(batches))
    original = training.Run.end_batch

    def end_batch(*arguments):
        if next(ended, None) is None:
            raise Stopped
        original(*arguments)

    monkeypatch.setattr(training.Run, "end_batch", end_batch)


@pytest.mark.parametrize(
    ("after", "minutes", "schedule"),
    [
        (3, 0, "constant"),
        (3, 10, "constant"),
        (6, 10, "constant"),
        (8, 0, "constant"),
        (8, 10, "cosine"),
        (8, 0, "cosine"),
        (8, 0, "step"),
    ],
)
def test_a_training_that_was_stopped_ends_as_if_it_had_not_been(
    training, examples, tmp_path, after, minutes, schedule, monkeypatch, capsys
):
    """Stopped in its first epoch, at the end of it, in the second; six batches are an epoch."""
    settings = {"epochs": 3, "schedule": schedule}
    whole, expected = fit(training, examples, **settings)
    written = checkpoints_in(tmp_path, minutes=minutes)
    with monkeypatch.context() as patched:
        stop_after(patched, training, after)
        with pytest.raises(Stopped):
            fit(training, examples, checkpoints=written, **settings)
    capsys.readouterr()
    written = checkpoints_in(tmp_path, minutes=minutes)
    model, result = fit(training, examples, checkpoints=written, **settings)
    assert ("resuming in epoch" in capsys.readouterr().err) == (minutes == 0 or after >= 6)
    assert result.history.equals(expected.history)
    assert result.best_epoch == expected.best_epoch
    for one, other in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_epochs_of_a_training_that_was_stopped_are_those_of_a_whole_one(
    training, examples, tmp_path, monkeypatch
):
    def checkpoints(name):
        return checkpoints_in(tmp_path / name, keep_epochs="all")

    whole, result = fit(training, examples, epochs=3, checkpoints=checkpoints("whole"))
    with monkeypatch.context() as patched:
        stop_after(patched, training, 14)
        with pytest.raises(Stopped):
            fit(training, examples, epochs=3, checkpoints=checkpoints("stopped"))
    fit(training, examples, epochs=3, checkpoints=checkpoints("stopped"))
    expected, found = (checkpoints(name).load_epochs(3) for name in ("whole", "stopped"))
    assert [*expected] == [*found] == [1, 2, 3]
    for epoch in expected:
        for one, other in zip(expected[epoch], found[epoch], strict=True):
            np.testing.assert_array_equal(one, other)
    # The model has the best epoch's weights, which are among them.
    for one, other in zip(whole.get_weights(), expected[result.best_epoch], strict=True):
        np.testing.assert_array_equal(one, other)


def assert_same_fit(one, other):
    (model, result), (expected_model, expected) = one, other
    assert result.history.equals(expected.history)
    assert result.best_epoch == expected.best_epoch
    for weight, expected_weight in zip(
        model.get_weights(), expected_model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, expected_weight)


@pytest.mark.parametrize("settings", [{"epochs": 3}, {"learning_rate": 3.0, "patience": 1}])
def test_a_finished_training_gives_its_result_again_without_training(
    training, examples, tmp_path, monkeypatch, settings
):
    whole = fit(training, examples, checkpoints=checkpoints_in(tmp_path), **settings)
    monkeypatch.delattr(training, "_train_epoch")
    again = fit(training, examples, checkpoints=checkpoints_in(tmp_path), **settings)
    assert_same_fit(again, whole)
    assert again[1].times.equals(whole[1].times)


@pytest.mark.parametrize(("damaged", "resumes_in"), [(1, None), (2, 2)])
def test_a_damaged_epoch_costs_only_the_epochs_since_the_checkpoint_before(
    training, examples, tmp_path, monkeypatch, capsys, damaged, resumes_in
):
    """Stopped in the third epoch: one checkpoint is of the first one's end, one of the second's."""
    settings = {"epochs": 3, "keep_epochs": "all"}
    whole = fit(training, examples, **settings)
    with monkeypatch.context() as patched:
        stop_after(patched, training, 14)
        with pytest.raises(Stopped):
            fit(
                training,
                examples,
                checkpoints=checkpoints_in(tmp_path, keep_epochs="all"),
                **settings,
            )
    (path,) = tmp_path.glob(f"epoch-000{damaged}-*")
    path.write_bytes(path.read_bytes()[:-30])
    capsys.readouterr()
    written = checkpoints_in(tmp_path, keep_epochs="all")
    assert_same_fit(fit(training, examples, checkpoints=written, **settings), whole)
    message = capsys.readouterr().err
    assert f"{path}: damaged" in message
    assert (f"resuming in epoch {resumes_in}, after step 0" in message) == bool(resumes_in)
    assert [*checkpoints_in(tmp_path, keep_epochs="all").load_epochs(3)] == [1, 2, 3]


def test_a_checkpoint_that_lacks_something_is_not_used(training, examples, tmp_path, capsys):
    checkpoints_in(tmp_path).save({"step": np.array(3), "plain": np.array("{}")})
    written = checkpoints_in(tmp_path)
    assert_same_fit(
        fit(training, examples, checkpoints=written, epochs=2), fit(training, examples, epochs=2)
    )
    assert "the checkpoint that needs it is not used" in capsys.readouterr().err
