"""The ways a message leaves: SMTP, SendGrid, the outbox. No Prefect in here."""
