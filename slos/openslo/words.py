"""Names that reading and writing OpenSLO share."""

VERSION = "openslo/v1"
OURS = "reliability-studio"
LATENCY_SECONDS = f"{OURS}/latency-seconds"
LATENCY_HISTOGRAM = f"{OURS}/latency-histogram"
LEAST_EVENTS = f"{OURS}/least-events"
SHORT_WINDOW = f"{OURS}/short-window"
PROMETHEUS = "Prometheus"
