"""What an incident leaves behind, and the report on it: live service, snapshots, alerts, timeline, facts, check.

Knows the service only from outside: over HTTP, from its log and from its decision database.
"""
