"""Multiply-adds of a network, against those worked out from the layers' shapes by hand."""

import pytest

from autotagging import models
from networks import crnn_options

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.training


def test_the_crnn_has_those_of_the_papers_table():
    """Convolutions by the outputs of Table 2, GRUs by 15 steps of three gates, the dense layer."""
    from autotagging.training.costs import multiply_adds

    options = crnn_options(padded_frames=1440)
    network = models.build("crnn", input_shape=(96, 1366), n_tags=50, **options)
    convolutions = 9 * (
        96 * 1440 * 64 + 48 * 720 * 64 * 128 + 16 * 240 * 128 * 128 + 4 * 60 * 128 * 128
    )
    recurrent = 15 * 3 * 32 * (128 + 32 + 32 + 32)
    assert multiply_adds(network) == convolutions + recurrent + 32 * 50
