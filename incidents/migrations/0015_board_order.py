from django.db import migrations, models


class Migration(migrations.Migration):
    """Lists in board order read as many rows as they show, whatever the number of incidents."""

    dependencies = [
        ("incidents", "0014_notifications"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                models.Func(
                    models.F("status"),
                    output_field=models.SmallIntegerField(),
                    template="(CASE %(expressions)s WHEN 'resolved' THEN 1 ELSE 0 END)",
                ),
                models.Func(
                    models.F("severity"),
                    output_field=models.SmallIntegerField(),
                    template="(CASE %(expressions)s WHEN 'critical' THEN 0 WHEN 'high' THEN 1 "
                    "WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END)",
                ),
                models.OrderBy(models.F("started_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("archived_at", None), ("merged_into", None)),
                name="incident_board",
            ),
        ),
    ]
