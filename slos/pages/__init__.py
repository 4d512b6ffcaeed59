"""The pages of SLOs: all of them, one, its form, and import."""
