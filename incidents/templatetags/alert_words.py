"""What templates show of an alert's own words."""

from __future__ import annotations

from django import template

from incidents.alerts.words import AlertWords, words_of
from incidents.models import Alert

register = template.Library()


@register.filter
def words(alert: Alert) -> AlertWords:
    """Its summary, links, labels and further annotations."""
    return words_of(alert.name, alert.labels, alert.annotations, alert.generator_url)
