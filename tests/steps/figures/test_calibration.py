from autotagging.steps.figures.calibration import calibration
from earlier_steps import assert_draws, seeds


def test_calibration_is_drawn(results):
    assert_draws(
        calibration,
        results,
        calibration=seeds(results, "calibration.csv"),
        metrics=seeds(results, "metrics.json"),
    )
