"""Typed, versioned rules and the policies that turn rules and scores into actions."""
