"""Turn the body of a mail, written in Markdown, into its HTML and its plain text."""
