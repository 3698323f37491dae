"""Looking back at decisions: the archive of events, and making decisions again."""
