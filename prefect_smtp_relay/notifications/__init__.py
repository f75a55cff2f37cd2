"""Mail that no task sends: the "Send an Email" block, hooks and reports of runs."""
