"""Proposes services and dependencies from what telemetry and the cluster already show."""

from correlation.discovery.catalogue import Summary, apply
from correlation.discovery.matching import propose
from correlation.discovery.proposals import Discovery, ProposedCall, ProposedService
from correlation.discovery.seeing import Looked, look

__all__ = [
    "Discovery",
    "Looked",
    "ProposedCall",
    "ProposedService",
    "Summary",
    "apply",
    "look",
    "propose",
]
