"""Tests that need a Prefect server: one for the package, ended with its last test."""
