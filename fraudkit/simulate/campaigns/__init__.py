"""Fraud campaigns: a typed catalogue, one module a campaign, and what runs them."""
