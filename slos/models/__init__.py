"""SLOs, what was counted for them, how they stood, what was excluded, and what it cost."""

from slos.models.breach import SLOBreach
from slos.models.correction import SLOCorrection
from slos.models.history import SLOSample, SLOSnapshot
from slos.models.impact import IncidentImpact
from slos.models.slo import SLO

__all__ = ["SLO", "IncidentImpact", "SLOBreach", "SLOCorrection", "SLOSample", "SLOSnapshot"]
