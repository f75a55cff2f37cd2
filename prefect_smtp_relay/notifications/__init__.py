"""Mail that no task sends: the "Notification by Email" block, hooks and reports of runs."""
