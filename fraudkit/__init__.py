"""A real-time card-fraud system, and the workbook that is built on it.

The system runs simulate -> lake -> features -> rules, models -> evaluate -> registry -> serve.
Nothing is imported here: `import fraudkit` must stay cheap, because every kernel pays for it.
"""

__version__ = "0.1.0"
