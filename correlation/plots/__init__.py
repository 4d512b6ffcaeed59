"""Plots of evidence, for the page and as files."""
