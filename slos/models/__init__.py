"""SLOs, what was counted for them, how they stood, and what was excluded."""

from slos.models.correction import SLOCorrection
from slos.models.history import SLOSample, SLOSnapshot
from slos.models.slo import SLO

__all__ = ["SLO", "SLOCorrection", "SLOSample", "SLOSnapshot"]
