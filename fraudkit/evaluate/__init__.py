"""Measuring scores honestly: splits that respect label delay, metrics, costs, segments, fairness."""
