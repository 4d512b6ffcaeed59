"""What an alert's occurrences knew of its members is the alert's own from here on."""

from django.db import migrations, models


def _state(occurrence, status):
    ended = occurrence.resolved_at
    return {
        "firing": status == "firing",
        "from": occurrence.claimed_started_at.timestamp(),
        "until": ended.timestamp() if ended and status != "firing" else None,
        "silent": not occurrence.fired,
    }


def carry_over(apps, schema_editor):
    occurrences = apps.get_model("incidents", "AlertOccurrence").objects
    alerts = apps.get_model("incidents", "Alert").objects
    for alert in alerts.only("pk").iterator():
        latest = (
            occurrences.filter(alert_id=alert.pk)
            .order_by(models.F("resolved_at").desc(nulls_first=True), "-started_at")
            .first()
        )
        if latest is None:
            continue
        alerts.filter(pk=alert.pk).update(
            members={mark: _state(latest, status) for mark, status in latest.members.items()},
            firing=latest.resolved_at is None,
            latest_occurrence_id=latest.pk,
        )


def carry_back(apps, schema_editor):
    occurrences = apps.get_model("incidents", "AlertOccurrence").objects
    alerts = apps.get_model("incidents", "Alert").objects
    for alert in alerts.exclude(latest_occurrence_id=None).iterator():
        occurrences.filter(pk=alert.latest_occurrence_id).update(
            members={
                mark: "firing" if member["firing"] else "resolved"
                for mark, member in alert.members.items()
            }
        )


class Migration(migrations.Migration):
    dependencies = [("incidents", "0004_alert_series_state")]

    operations = [
        migrations.RunPython(carry_over, carry_back),
        migrations.RemoveField(model_name="alertoccurrence", name="members"),
    ]
