"""Flows to be deployed: checks and test mails, the outbox, incidents, failed runs."""
