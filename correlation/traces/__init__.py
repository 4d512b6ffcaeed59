"""Sampled traces to evidence; what is asked of Tempo."""
