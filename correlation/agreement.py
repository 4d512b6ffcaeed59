"""After an analysis: are there open incidents whose analyses named the same cause?"""

from __future__ import annotations

import logging

from correlation.models import Analysis
from incidents.merges import converging

logger = logging.getLogger("studio.correlation")


def look(analysis: Analysis) -> None:
    """Merge or propose them; what fails is logged, and the sweep looks again."""
    try:
        converging.converge(analysis.incident_id)
    except Exception:
        # the analysis has its outcome; its incident is only compared later
        logger.exception("the incident of analysis %s was not compared", analysis.pk)
