"""Flows that the package ships, to be deployed: what has to be done later, or on a schedule."""
