"""The same work done the usual way: what the figures are compared with."""
