"""Every figure this project publishes is measured by a script here: `python -m benchmarks.NAME`."""
