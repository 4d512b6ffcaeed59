"""HTTP for gunicorn; websockets are served by asgi.py."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reliability_studio.settings")
application = get_wsgi_application()

from reliability_studio.settled import settle  # noqa: E402  (needs the settings)

settle()
