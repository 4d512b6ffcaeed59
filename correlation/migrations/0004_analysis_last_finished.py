"""/metrics asks which analyses ended lately."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("correlation", "0003_data_source_addresses")]

    operations = [
        migrations.AddIndex(
            model_name="analysis",
            index=models.Index(fields=["-finished_at"], name="analysis_last_finished"),
        ),
    ]
