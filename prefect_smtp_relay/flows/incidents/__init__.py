"""Incidents: tell stakeholders from a form, and remind people of what is still open."""
