"""The network on a clip's pooled activations: 1024-512-512-512-tags (Nam, Herrera and Lee 2015)."""

import keras
import tensorflow as tf

from autotagging.models.layers import DropoutPerReplica


def build_bof_rbm(
    *, input_shape: tuple[int], n_tags: int, layers: int, units: int, dropout: float
) -> keras.Model:
    """Build the network: rectified linear hidden layers, each with dropout, and sigmoids.

    There is no dropout of the input. Weights are Glorot-uniform: see `start_bof_rbm`.

    Parameters
    ----------
    input_shape
        Shape (features,) of the input: (1024,) in the source.
    n_tags
        Number of outputs: 160 in the source.
    layers
        Number of hidden layers: 3 in the source.
    units
        Units of each hidden layer: 512 in the source.
    dropout
        Dropout rate after each hidden layer: 0.5 in the source.

    Returns
    -------
    model : (batch, features) -> (batch, n_tags)
        Its hidden layers are named hidden_1, hidden_2, and so on.
    """
    # On several devices: different masks on each device.
    spread = tf.distribute.get_strategy().num_replicas_in_sync > 1
    Dropout = DropoutPerReplica if spread else keras.layers.Dropout
    inputs = keras.Input(input_shape, name="features")
    x = inputs
    for layer in range(1, layers + 1):
        x = keras.layers.Dense(units, activation="relu", name=f"hidden_{layer}")(x)
        x = Dropout(dropout, name=f"dropout_{layer}")(x)
    outputs = keras.layers.Dense(n_tags, activation="sigmoid", name="tags")(x)
    return keras.Model(inputs, outputs, name="bof_rbm")
