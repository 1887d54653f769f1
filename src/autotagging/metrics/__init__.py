"""Evaluation of scores: averages, decisions, intervals, breakdowns, differences (sec. III)."""
