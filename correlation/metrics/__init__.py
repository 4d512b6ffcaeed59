"""Series to effects and excess; what is asked of Prometheus, by query profiles."""
