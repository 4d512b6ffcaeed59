"""The sources that are asked, one run of the analysis, its evidence and the causes it ranked."""

from correlation.models.analysis import Analysis, Correlation, RootCause, confidence_band
from correlation.models.data_source import DataSource, SourceHealth
from correlation.models.fingerprint import FingerprintPart
from correlation.models.rule import CorrelationRule, RuleChange
from correlation.models.snapshot import EvidenceSnapshot
from correlation.models.verdict import CauseVerdict

__all__ = [
    "Analysis",
    "CauseVerdict",
    "Correlation",
    "CorrelationRule",
    "DataSource",
    "EvidenceSnapshot",
    "FingerprintPart",
    "RootCause",
    "RuleChange",
    "SourceHealth",
    "confidence_band",
]
