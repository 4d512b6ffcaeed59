"""Cause rules: written, kept, tried and applied."""
