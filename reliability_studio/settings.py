"""Settings of Reliability Studio, all from the environment (see docs/configuration.md).

What alerts and incidents do with time is in `incident_settings`, whom analyses ask and how in
`telemetry_settings`, how messages are sent in `notification_settings`, the API's shape in
`api_settings`, the log in `log_settings`, and what runs now and then in `schedule`; all of them are
settings of Django.

Unset, everything runs embedded: SQLite, in-process broker, cache and channel layer. With
DATABASE_URL and REDIS_URL the same code runs as separate processes.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext

from reliability_studio import environment as env
from reliability_studio.api_settings import *  # noqa: F403
from reliability_studio.api_settings import SCHEMA
from reliability_studio.incident_settings import *  # noqa: F403
from reliability_studio.incident_settings import INTAKE_MAX_BYTES, RECONCILE_SECONDS
from reliability_studio.log_settings import *  # noqa: F403
from reliability_studio.notification_settings import *  # noqa: F403
from reliability_studio.schedule import beat_schedule
from reliability_studio.secret_key import secret_key
from reliability_studio.slo_settings import *  # noqa: F403
from reliability_studio.telemetry_settings import *  # noqa: F403

django_stubs_ext.monkeypatch()  # ModelAdmin[Incident] and the like, at run time too

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

# --- process ---------------------------------------------------------------------------

DEBUG = env.boolean("DEBUG")
STUDIO_DIR = Path(env.text("STUDIO_DIR", str(BASE_DIR / ".studio"))).expanduser()
STUDIO_PORT = env.integer("STUDIO_PORT", 8000, low=1, high=65535)
DEMO = env.boolean("STUDIO_DEMO")
DATABASE_URL = env.url("DATABASE_URL", ("postgres", "postgresql", "sqlite"))
REDIS_URL = env.url("REDIS_URL", ("redis", "rediss", "unix"))
EMBEDDED = not REDIS_URL
# as people's browsers reach the product, for links in messages
STUDIO_URL = env.url("STUDIO_URL") or f"http://localhost:{STUDIO_PORT}"
SECRET_KEY = secret_key(env.text("SECRET_KEY"), STUDIO_DIR, shared=bool(DATABASE_URL or REDIS_URL))
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")
CORS_ALLOWED_ORIGINS = env.listing("CORS_ALLOWED_ORIGINS")
for _name in ("CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS"):
    for _origin in env.listing(_name):
        if not _origin.startswith(("http://", "https://")):
            env.report(
                "studio.E008",
                _name,
                f"{_name} contains {_origin!r}, which is not an origin.",
                "Write each origin with its scheme: https://studio.example.com",
            )
CORS_ALLOWED_ORIGINS = [o for o in CORS_ALLOWED_ORIGINS if "://" in o]
CSRF_TRUSTED_ORIGINS = [o for o in CSRF_TRUSTED_ORIGINS if "://" in o]
HTTPS = env.boolean("STUDIO_HTTPS")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0, high=10)

METRICS_TOKEN = env.text("METRICS_TOKEN")
if METRICS_TOKEN and len(METRICS_TOKEN) < 24:
    env.report(
        "studio.E040",
        "METRICS_TOKEN",
        "METRICS_TOKEN is shorter than 24 characters.",
        "Generate one: openssl rand -hex 24",
    )
    METRICS_TOKEN = ""

# --- what is installed -----------------------------------------------------------------

INSTALLED_APPS = [
    "daphne",
    "reliability_studio.admin_config.StudioAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "channels",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "reliability_studio",
    "accounts",
    "incidents",
    "timeline",
    "correlation",
    "slos",
]

MIDDLEWARE = [
    "reliability_studio.request_log.RequestLogMiddleware",
    "reliability_studio.short_way.ShortWayMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "reliability_studio.security.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.origin.OriginMiddleware",
]

ROOT_URLCONF = "reliability_studio.urls"
ASGI_APPLICATION = "reliability_studio.asgi.application"
WSGI_APPLICATION = "reliability_studio.wsgi.application"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = INTAKE_MAX_BYTES  # Django's own limit answers a bare 400
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "reliability_studio.context.studio",
            ],
        },
    },
]
STATIC_URL = "/static/"
STATIC_ROOT = STUDIO_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# --- data ------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _database() -> dict[str, Any]:
    """PostgreSQL from DATABASE_URL, else SQLite in STUDIO_DIR.

    SQLite runs in WAL mode with IMMEDIATE transactions: deferred ones fail under concurrent
    writers instead of waiting; and the writers of a process take turns. PostgreSQL uses psycopg's
    pool, because under ASGI threads CONN_MAX_AGE does not hold and a connection a request costs
    five times as much.
    """
    url = DATABASE_URL or f"sqlite:///{STUDIO_DIR / 'studio.sqlite3'}"
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    if config["ENGINE"].endswith("sqlite3"):
        config["ENGINE"] = "reliability_studio.fair_sqlite"
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;",
        }
        # threads of one test share a database only when it is a file
        config["TEST"] = {"NAME": str(STUDIO_DIR / "test.sqlite3")}
    else:
        config["CONN_MAX_AGE"] = 0
        options = config.setdefault("OPTIONS", {})
        options["pool"] = {"min_size": 1, "max_size": 24, "timeout": 10}
        # intake's statements alone: Django's own cursors never prepare
        options["prepare_threshold"] = 2 if env.boolean("DATABASE_PREPARE", True) else None
    return config


DATABASES = {"default": _database()}
# images of notes: processes that share a database share this directory too
NOTE_IMAGES_DIR = Path(env.text("NOTE_IMAGES_DIR", str(STUDIO_DIR / "images"))).expanduser()

if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
        }
    }
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": "studio"},
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "reliability_studio.channel_layer.ThreadSafeInMemoryChannelLayer",
            "CONFIG": {"capacity": 1000},
        }
    }

# what a process computed and may forget
CACHES["process"] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "process",
}

# --- background work -------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL or "memory://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "visibility_timeout": 300,
        "socket_timeout": 2,
        "socket_connect_timeout": 1,
        # a broker that is down must not hold a request: the sweeper enqueues later
        "retry_on_timeout": False,
    }
    if REDIS_URL
    else {"polling_interval": 0.05}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
CELERY_TASK_DEFAULT_QUEUE = "studio"
CELERY_TASK_ROUTES = {
    "correlation.tasks.analyse": {"queue": "correlation"},
    "incidents.tasks.notify_channel": {"queue": "notifications"},
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = beat_schedule(reconcile_seconds=RECONCILE_SECONDS)

# --- people ----------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.ThrottledBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login"
REGISTRATION_OPEN = env.boolean("REGISTRATION_OPEN", DEMO)
LOGIN_ATTEMPTS_PER_ACCOUNT = env.integer("LOGIN_ATTEMPTS_PER_ACCOUNT", 10, low=1)
LOGIN_ATTEMPTS_PER_ADDRESS = env.integer("LOGIN_ATTEMPTS_PER_ADDRESS", 50, low=1)
LOGIN_ATTEMPTS_WINDOW_SECONDS = env.seconds("LOGIN_ATTEMPTS_WINDOW_SECONDS", 900.0, low=1)

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "UPDATE_LAST_LOGIN": False,
    "ALGORITHM": "HS256",
    "SIGNING_KEY": SECRET_KEY,
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "user_id",
}
SPECTACULAR_SETTINGS = {**SCHEMA, "VERSION": VERSION}
