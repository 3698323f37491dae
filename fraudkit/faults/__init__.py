"""Faults planted on purpose: parts that are slow, down or lying, and one service that leaks connections.

For tests and for the chapter on incidents. The system never imports this area; the workbook starts
it as `python -m fraudkit.faults` and talks to it over HTTP.
"""
