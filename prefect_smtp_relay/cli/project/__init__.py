"""What ``init`` sets up: two YAML files, a work pool, deployments and automations."""
