from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0009_alert_lifecycle"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mergeproposal",
            index=models.Index(fields=["-created_at", "-id"], name="merge_proposal_newest"),
        ),
    ]
