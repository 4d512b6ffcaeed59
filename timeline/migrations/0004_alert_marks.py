from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("timeline", "0003_unmerging"),
    ]

    operations = [
        migrations.AlterField(
            model_name="timelineevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("incident_created", "Incident Created"),
                    ("correlation_analysis_started", "Correlation Analysis Started"),
                    ("metric_spike", "Metric Spike"),
                    ("log_pattern", "Log Pattern"),
                    ("trace", "Trace"),
                    ("pod", "Pod"),
                    ("change", "Change"),
                    ("root_cause_identified", "Root Cause Identified"),
                    ("cause_reviewed", "Cause Reviewed"),
                    ("correlation_failed", "Correlation Failed"),
                    ("source_unavailable", "Source Unavailable"),
                    ("source_recovered", "Source Recovered"),
                    ("correlation_inconclusive", "Correlation Inconclusive"),
                    ("alert_firing", "Alert Firing"),
                    ("alert_resolved", "Alert Resolved"),
                    ("alert_suppressed", "Alert Suppressed"),
                    ("alert_stale", "Alert Stale"),
                    ("alert_flapping", "Alert Flapping"),
                    ("heartbeat", "Heartbeat"),
                    ("maintenance", "Maintenance"),
                    ("slo_breach", "Slo Breach"),
                    ("slo_recovered", "Slo Recovered"),
                    ("impact", "Impact"),
                    ("status_changed", "Status Changed"),
                    ("severity_changed", "Severity Changed"),
                    ("edited", "Edited"),
                    ("mitigation_applied", "Mitigation Applied"),
                    ("incident_resolved", "Incident Resolved"),
                    ("reopened", "Reopened"),
                    ("merged", "Merged"),
                    ("absorbed", "Absorbed"),
                    ("unmerged", "Unmerged"),
                    ("released", "Released"),
                    ("merge_proposal", "Merge Proposal"),
                    ("task", "Task"),
                    ("note", "Note"),
                    ("correction", "Correction"),
                ],
                max_length=40,
            ),
        ),
    ]
