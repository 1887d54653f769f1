"""The optimizer: Adam, its learning rate in each step, and a step along a gradient (sec. III).

Imports TensorFlow; import it inside functions.
"""

from autotagging.common.progress import native_log_hidden
from autotagging.training.settings import Schedule

with native_log_hidden():
    import keras
    import tensorflow as tf


Rates = float | keras.optimizers.schedules.LearningRateSchedule


def make_optimizer(model: keras.Model, rates: Rates) -> keras.optimizers.Optimizer:
    """Make Adam and its variables for a built model; it scales the loss of float16 layers."""
    optimizer = keras.optimizers.Adam(rates)
    if any(layer.compute_dtype == "float16" for layer in model.layers):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


def learning_rates(schedule: Schedule, learning_rate: float, *, steps: int) -> Rates:
    """Make the learning rate of each step, a function of the optimizer's count of steps alone.

    Parameters
    ----------
    schedule
        "constant": the same in all steps. "cosine": half a cosine wave, down to zero after the last
        one. "step": a tenth from half of the steps on, a hundredth from three quarters.
    learning_rate
        Of the first step.
    steps
        Of the whole training.
    """
    if schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    if schedule == "step":
        return keras.optimizers.schedules.PiecewiseConstantDecay(
            [-(-steps // 2) - 1, -(-steps * 3 // 4) - 1],  # the last before each fall, from 0
            [learning_rate, learning_rate / 10, learning_rate / 100],
        )
    return learning_rate


def rate_in_effect(rates: Rates, optimizer: keras.optimizers.Optimizer) -> float:
    """Give the learning rate of the optimizer's last step; before the first, that of the first."""
    return float(rates(max(int(optimizer.iterations) - 1, 0))) if callable(rates) else rates


def follow_gradient(
    tape: tf.GradientTape,
    loss: tf.Tensor,
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
) -> None:
    """Take a step of the optimizer; weights that the loss ignores have a zero gradient."""
    variables = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    optimizer.apply(gradients, model.trainable_variables)
