"""Versions of models, which of them is in production, and the gate between."""
