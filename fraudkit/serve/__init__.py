"""The scoring service: request contracts, batching, decisions, metrics and the page for people.

It loads a trained bundle and a feature store; it knows nothing of the simulator or of training.
"""
