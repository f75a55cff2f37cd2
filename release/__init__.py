"""Makes a release of what CHANGELOG.md lists as unreleased: ``python -m release 0.3.0``."""
