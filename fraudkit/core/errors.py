"""The errors this package raises on purpose.

A message gives the offending value and the remedy, because it is read by someone who cannot see
the code. The command line prints these without a traceback; anything else is a bug and keeps one.
"""


class FraudkitError(Exception):
    """Base of every error that a user can mend."""


class InvalidInput(FraudkitError):
    """A value from outside (request, file, argument) cannot be accepted."""


class NotReady(FraudkitError):
    """Something that has to be built first (world, model, store) is not there."""


class CorruptArtefact(FraudkitError):
    """A file on disk does not match its digest, its schema or its manifest."""


class StoreUnavailable(FraudkitError):
    """The feature store did not answer in time or refused the connection."""


class GateRefused(FraudkitError):
    """The promotion gate did not let a candidate become production."""
