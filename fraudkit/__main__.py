"""`python -m fraudkit` is the `fraudkit` command."""

from fraudkit.cli import main

main()
