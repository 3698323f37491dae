"""A user's own table through features, models and metrics, under a protocol that respects late labels."""
