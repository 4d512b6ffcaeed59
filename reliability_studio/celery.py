"""The Celery application; tasks are found in each app's tasks.py."""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability_studio.settings")

app = Celery("reliability_studio")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect(weak=False)
def refuse_what_cannot_work(**kwargs: Any) -> None:
    """A worker of its own process starts only where its data sources can be used.

    This signal is not sent for the workers inside `manage.py studio`, which looks for itself.
    """
    from reliability_studio import preflight  # needs the apps, which are ready only now

    try:
        preflight.verify_settings()
        preflight.verify_sources(lambda line: print(line, file=sys.stderr, flush=True))
    except preflight.CannotStart as refusal:
        for problem in refusal.problems:
            print(problem, file=sys.stderr, flush=True)
        sys.exit(1)
