"""The REST API of SLOs (docs/api.md)."""
