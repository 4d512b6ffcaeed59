"""A simulated production with faults of known cause, speaking the real APIs over HTTP.

The lab imports no Django app and no app imports it.
"""
