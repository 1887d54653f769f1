"""The optimizer: Adam, its learning rate in each step, and a step of it (sec. III).

Imports TensorFlow; import it inside functions.
"""

import numpy as np

from autotagging.common.progress import native_log_hidden
from autotagging.training.settings import Schedule

with native_log_hidden():
    import keras
    import tensorflow as tf


Rates = float | keras.optimizers.schedules.LearningRateSchedule


def make_optimizer(model: keras.Model, rates: Rates) -> keras.optimizers.Optimizer:
    """Create Adam and its variables for a built model, with loss scaling for float16 layers."""
    optimizer = keras.optimizers.Adam(rates)
    if any(layer.compute_dtype == "float16" for layer in model.layers):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


def learning_rates(schedule: Schedule, learning_rate: float, *, steps: int) -> Rates:
    """Create the learning rate schedule, a function of the optimizer's step count only.

    Parameters
    ----------
    schedule
        "constant": the same in all steps. "cosine": half a cosine wave, down to zero after the last
        step. "step": a tenth after half of the steps, a hundredth after three quarters.
    learning_rate
        Learning rate of the first step.
    steps
        Number of steps of the whole training.
    """
    if schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    if schedule == "step":
        return keras.optimizers.schedules.PiecewiseConstantDecay(
            [-(-steps // 2) - 1, -(-steps * 3 // 4) - 1],  # last step before each decay, from 0
            [learning_rate, learning_rate / 10, learning_rate / 100],
        )
    return learning_rate


def rate_in_effect(rates: Rates, optimizer: keras.optimizers.Optimizer) -> float:
    """Learning rate of the optimizer's last step; before the first step, that of the first."""
    return float(rates(max(int(optimizer.iterations.numpy()) - 1, 0))) if callable(rates) else rates


def apply_gradients(
    tape: tf.GradientTape,
    loss: tf.Tensor,
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
) -> None:
    """Take a step of the optimizer; weights that don't affect the loss have a zero gradient."""
    variables = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        gradients = _overflown_on_all(gradients)
    optimizer.apply(gradients, model.trainable_variables)


def _overflown_on_all(gradients: list[tf.Tensor]) -> list[tf.Tensor]:
    """Make gradients that are not finite on one of several devices NaN on all.

    Loss scaling leaves out a step whose gradients are not finite; Keras asks one device only.
    """
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return gradients
    overflown = [tf.reduce_sum(tf.cast(~tf.math.is_finite(g), tf.float32)) for g in gradients]
    everywhere = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.add_n(overflown))
    return [tf.where(everywhere > 0, tf.constant(np.nan, g.dtype), g) for g in gradients]
