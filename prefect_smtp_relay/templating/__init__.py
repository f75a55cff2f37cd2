"""Templates for mails: Jinja over plain data; a value shows as typed wherever it lands."""
