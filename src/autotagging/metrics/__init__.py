"""Evaluation of scores: averages, decisions, intervals, breakdowns, differences (sec. III)."""

from autotagging.metrics.averages import evaluate

__all__ = ["evaluate"]
