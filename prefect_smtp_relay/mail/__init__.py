"""Pure e-mail: mailboxes, messages, envelopes, MIME and receipts. No Prefect in here."""
