"""What is watched while the system runs: drift, performance on matured labels, alerts, the state of a service."""
