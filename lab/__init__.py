"""A simulated production with faults of known cause, speaking the real telemetry APIs."""
