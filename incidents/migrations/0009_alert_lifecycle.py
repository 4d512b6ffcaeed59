import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.models
import incidents.models.label_matchers


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0008_merging"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Alertmanager",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "url",
                    models.CharField(
                        help_text="Base address, path prefix included, without /api/v2.",
                        max_length=500,
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                (
                    "origin",
                    models.CharField(
                        choices=[("environment", "Environment"), ("user", "User")],
                        default="user",
                        editable=False,
                        max_length=16,
                    ),
                ),
                (
                    "receiver",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The receiver there that posts to us; empty: the one its last delivery named.",
                        max_length=200,
                    ),
                ),
                (
                    "auth_variable",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Environment variable that holds the Authorization header's value.",
                        max_length=100,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z][A-Z0-9_]*\\Z", "Name an environment variable."
                            )
                        ],
                    ),
                ),
                (
                    "auth_file",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="File under SECRETS_DIR that holds the Authorization header's value.",
                        max_length=500,
                    ),
                ),
                ("verify_tls", models.BooleanField(default=True)),
                ("ca_file", models.CharField(blank=True, default="", max_length=500)),
                (
                    "timeout_seconds",
                    models.FloatField(
                        default=5.0,
                        validators=[
                            django.core.validators.MinValueValidator(0.1),
                            django.core.validators.MaxValueValidator(60.0),
                        ],
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(default=0, editable=False, help_text="In a row."),
                ),
                ("last_success_at", models.DateTimeField(editable=False, null=True)),
                ("last_error_at", models.DateTimeField(editable=False, null=True)),
                ("last_error", models.TextField(blank=True, default="", editable=False)),
                (
                    "note",
                    models.TextField(
                        blank=True,
                        default="",
                        editable=False,
                        help_text="Why what it does not list was not closed at the last reading.",
                    ),
                ),
                (
                    "firing",
                    models.PositiveIntegerField(
                        editable=False, help_text="Alerts it listed.", null=True
                    ),
                ),
                (
                    "version",
                    models.CharField(blank=True, default="", editable=False, max_length=100),
                ),
                ("up_since", models.DateTimeField(editable=False, null=True)),
                ("claimed_until", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "matchers",
                    models.JSONField(
                        default=list,
                        help_text='Label matchers, such as ["alertname=Watchdog"]; all must hold.',
                        validators=[incidents.models.label_matchers.validate_matchers],
                    ),
                ),
                (
                    "interval_seconds",
                    models.FloatField(
                        help_text="How often the sender repeats the alert while it fires.",
                        validators=[
                            django.core.validators.MinValueValidator(10.0),
                            django.core.validators.MaxValueValidator(604800.0),
                        ],
                    ),
                ),
                (
                    "grace_seconds",
                    models.FloatField(
                        default=60.0,
                        help_text="How late a beat may be.",
                        validators=[
                            django.core.validators.MinValueValidator(0.0),
                            django.core.validators.MaxValueValidator(604800.0),
                        ],
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("critical", "Critical"),
                            ("high", "High"),
                            ("medium", "Medium"),
                            ("low", "Low"),
                        ],
                        default="high",
                        help_text="Of the incident that its silence opens.",
                        max_length=16,
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                (
                    "automatic",
                    models.BooleanField(
                        default=False,
                        editable=False,
                        help_text="Made when the first such alert arrived.",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="MaintenanceWindow",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True, default="")),
                (
                    "mode",
                    models.CharField(
                        choices=[("suppress", "hold alerts back"), ("annotate", "mark incidents")],
                        default="suppress",
                        max_length=16,
                    ),
                ),
                (
                    "environment",
                    models.CharField(
                        blank=True, default="", help_text="Empty: every environment.", max_length=63
                    ),
                ),
                (
                    "matchers",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text='Label matchers, such as ["cluster=eu-1"]; all must hold.',
                        validators=[incidents.models.label_matchers.validate_matchers],
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                (
                    "ends_at",
                    models.DateTimeField(
                        help_text="Of a weekly one: when the first occasion ends."
                    ),
                ),
                ("weekly", models.BooleanField(default=False)),
                (
                    "repeats_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="No occasion begins later; empty: for ever.",
                        null=True,
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="UTC",
                        help_text="Whose clock a weekly one keeps to when summer time begins and ends.",
                        max_length=64,
                        validators=[accounts.models.validate_time_zone],
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("cancelled_at", models.DateTimeField(editable=False, null=True)),
                ("over_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["-starts_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Pulse",
            fields=[
                (
                    "alert",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="pulse",
                        serialize=False,
                        to="incidents.alert",
                    ),
                ),
                ("stopped_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="alert",
            name="flapping_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="alertoccurrence",
            name="ended_by",
            field=models.CharField(
                choices=[
                    ("sender", "its sender"),
                    ("reconciled", "its Alertmanager, which holds it no longer"),
                ],
                db_default="sender",
                default="sender",
                help_text="Who said so, once it is over.",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="alertoccurrence",
            name="stale_since",
            field=models.DateTimeField(
                blank=True,
                help_text="When it should have been heard of again; not the end.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="alertoccurrence",
            name="suppressed_by",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="alertoccurrence",
            name="suppressed_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="alertsource",
            name="flap_changes",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="More changes within the window are flapping; empty: ALERT_FLAP_CHANGES.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.AddField(
            model_name="alertsource",
            name="flap_window_seconds",
            field=models.FloatField(
                blank=True,
                help_text="Empty: ALERT_FLAP_WINDOW_SECONDS.",
                null=True,
                validators=[django.core.validators.MinValueValidator(10.0)],
            ),
        ),
        migrations.AddField(
            model_name="alertsource",
            name="repeat_interval_seconds",
            field=models.FloatField(
                blank=True,
                help_text="The sender's repeat_interval; empty: ALERT_REPEAT_INTERVAL_SECONDS.",
                null=True,
                validators=[django.core.validators.MinValueValidator(10.0)],
            ),
        ),
        migrations.AlterField(
            model_name="incident",
            name="source",
            field=models.CharField(
                choices=[
                    ("manual", "Manual"),
                    ("api", "Api"),
                    ("alert", "Alert"),
                    ("lab", "Lab"),
                    ("heartbeat", "Heartbeat"),
                ],
                default="manual",
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("flapping_since__isnull", False)),
                fields=["flapping_since"],
                name="alert_flapping",
            ),
        ),
        migrations.AddField(
            model_name="alertmanager",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="alertmanagers",
                to="incidents.alertsource",
            ),
        ),
        migrations.AddField(
            model_name="heartbeat",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="heartbeats",
                to="incidents.alertsource",
            ),
        ),
        migrations.AddField(
            model_name="maintenancewindow",
            name="cancelled_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="maintenancewindow",
            name="created_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="maintenancewindow",
            name="services",
            field=models.ManyToManyField(
                blank=True, related_name="maintenance_windows", to="incidents.service"
            ),
        ),
        migrations.AddField(
            model_name="alertoccurrence",
            name="maintenance",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="occurrences",
                to="incidents.maintenancewindow",
            ),
        ),
        migrations.AddIndex(
            model_name="alertoccurrence",
            index=models.Index(
                condition=models.Q(("resolved_at", None), ("stale_since__isnull", False)),
                fields=["stale_since"],
                name="occurrence_stale",
            ),
        ),
        migrations.AddField(
            model_name="pulse",
            name="heartbeat",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="pulses",
                to="incidents.heartbeat",
            ),
        ),
        migrations.AddField(
            model_name="pulse",
            name="incident",
            field=models.ForeignKey(
                help_text="The incident its last silence opened or joined.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="pulses",
                to="incidents.incident",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertmanager",
            constraint=models.UniqueConstraint(
                fields=("source", "url"), name="alertmanager_address_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="heartbeat",
            constraint=models.UniqueConstraint(
                fields=("source", "name"), name="heartbeat_name_once"
            ),
        ),
        migrations.AddIndex(
            model_name="maintenancewindow",
            index=models.Index(fields=["-starts_at", "-id"], name="maintenance_newest"),
        ),
        migrations.AddIndex(
            model_name="maintenancewindow",
            index=models.Index(fields=["over_at"], name="maintenance_over"),
        ),
        migrations.AddConstraint(
            model_name="maintenancewindow",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                name="maintenance_ends_after_it_starts",
            ),
        ),
    ]
