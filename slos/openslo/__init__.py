"""OpenSLO v1, in and out: https://openslo.com. What we cannot do is refused by name and line."""
