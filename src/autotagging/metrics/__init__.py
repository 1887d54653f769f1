"""How good scores are: averages, decisions, intervals, breakdowns and differences (sec. III)."""

from autotagging.metrics.averages import evaluate

__all__ = ["evaluate"]
