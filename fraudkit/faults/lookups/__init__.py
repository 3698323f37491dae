"""Versions of one function, `get_reputation(pool, address)`, each in a file that a service can be started with."""
