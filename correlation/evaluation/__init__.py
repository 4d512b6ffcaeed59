"""Labelled incidents in, figures out: how often the ranking is right, and how well it knows it.

The cases are read into the same `Telemetry` the live engine gathers and ranked by the same
`rank()`; labels are read after that. Nothing here is imported by the product's own path.
"""
