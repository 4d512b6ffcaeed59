"""Roles, closing, the history of tasks; the invariants of each."""

from __future__ import annotations

import uuid
from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def give_done_tasks_their_time(apps: Any, schema_editor: Any) -> None:
    """Tasks that were created done had none; no other state has one."""
    tasks = apps.get_model("incidents", "IncidentTask").objects
    tasks.filter(state="done", done_at=None).update(done_at=models.F("created_at"))
    tasks.exclude(state="done").exclude(done_at=None).update(done_at=None)


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0012_backfill_source"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(give_done_tasks_their_time, migrations.RunPython.noop),
        migrations.CreateModel(
            name="IncidentRole",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("commander", "Commander"),
                            ("scribe", "Scribe"),
                            ("responder", "Responder"),
                        ],
                        max_length=16,
                    ),
                ),
                ("assigned_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["assigned_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="TaskChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("changes", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.RemoveField(
            model_name="incident",
            name="commander",
        ),
        migrations.AddField(
            model_name="incident",
            name="duplicate_of",
            field=models.ForeignKey(
                blank=True,
                help_text="The incident it was closed as a duplicate of, where that could take nothing in.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="duplicates",
                to="incidents.incident",
            ),
        ),
        migrations.AddField(
            model_name="incidenttask",
            name="version",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="statuschange",
            name="closed_as",
            field=models.CharField(
                blank=True,
                choices=[
                    ("duplicate", "Duplicate"),
                    ("false_positive", "False Positive"),
                    ("drill", "Drill"),
                ],
                default="",
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="incidenttask",
            index=models.Index(
                condition=models.Q(("state__in", ["open", "in_progress"])),
                fields=["owner", "due_at"],
                name="task_unfinished_by_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_as", ""),
                    ("status", "resolved"),
                    ("merged_into__isnull", False),
                    _connector="OR",
                ),
                name="incident_closed_is_over",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("duplicate_of", None), ("closed_as", "duplicate"), _connector="OR"
                ),
                name="incident_duplicate_of_is_closed_as_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(("archived_at", None), ("status", "resolved"), _connector="OR"),
                name="incident_archived_is_resolved",
            ),
        ),
        migrations.AddConstraint(
            model_name="incidenttask",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("done_at__isnull", False), ("state", "done")),
                    models.Q(models.Q(("state", "done"), _negated=True), ("done_at", None)),
                    _connector="OR",
                ),
                name="task_done_has_its_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="incidenttask",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "in_progress", "done", "dropped"])),
                name="task_state_known",
            ),
        ),
        migrations.AddField(
            model_name="incidentrole",
            name="assigned_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="incidentrole",
            name="ended_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="incidentrole",
            name="incident",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="roles",
                to="incidents.incident",
            ),
        ),
        migrations.AddField(
            model_name="incidentrole",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="incident_roles",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="taskchange",
            name="actor",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="taskchange",
            name="task",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="history",
                to="incidents.incidenttask",
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentrole",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None), ("role", "commander")),
                fields=("incident",),
                name="incident_one_commander",
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentrole",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("incident", "user", "role"),
                name="incident_role_held_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentrole",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["commander", "scribe", "responder"])),
                name="incident_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentrole",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at", None), ("ended_at__gte", models.F("assigned_at")), _connector="OR"
                ),
                name="incident_role_ends_after_it_began",
            ),
        ),
    ]
