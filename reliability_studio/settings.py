"""Settings of Reliability Studio, all from the environment (see docs/configuration.md).

Unset, everything runs embedded: SQLite, in-process broker, cache and channel layer. With
DATABASE_URL and REDIS_URL the same code runs as separate processes.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext

from reliability_studio import environment as env

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


def _secret_key() -> str:
    """SECRET_KEY, or on embedded defaults one generated once and kept in STUDIO_DIR."""
    given = env.text("SECRET_KEY")
    if given:
        if len(given) < 32:
            env.report(
                "studio.E005",
                "SECRET_KEY",
                "SECRET_KEY is shorter than 32 characters.",
                "Generate one: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
            )
        return given
    if DATABASE_URL or REDIS_URL:
        env.report(
            "studio.E006",
            "SECRET_KEY",
            "SECRET_KEY is not set, and DATABASE_URL or REDIS_URL is: processes would disagree.",
            "Set the same SECRET_KEY for every process.",
        )
        return secrets.token_urlsafe(48)
    kept = STUDIO_DIR / "secret_key"
    try:
        STUDIO_DIR.mkdir(parents=True, exist_ok=True)
        if not kept.exists():
            draft = kept.with_name(f"secret_key.{secrets.token_hex(4)}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            try:
                kept.hardlink_to(draft)  # atomic: the first of two processes wins
            except FileExistsError:
                pass
            draft.unlink()
        return kept.read_text().strip()
    except OSError as error:
        env.report(
            "studio.E007",
            "STUDIO_DIR",
            f"STUDIO_DIR {STUDIO_DIR} cannot be written: {error.strerror}.",
            "Point STUDIO_DIR at a directory this user can write.",
        )
        return secrets.token_urlsafe(48)


SECRET_KEY = _secret_key()
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
    writers instead of waiting. PostgreSQL uses psycopg's pool, because under ASGI threads
    CONN_MAX_AGE does not hold and a connection a request costs five times as much.
    """
    url = DATABASE_URL or f"sqlite:///{STUDIO_DIR / 'studio.sqlite3'}"
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    if config["ENGINE"].endswith("sqlite3"):
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
CELERY_BEAT_SCHEDULE = {
    "chain-audit": {"task": "accounts.tasks.chain_audit", "schedule": 30.0},
    "prune-logins": {"task": "accounts.tasks.prune_logins", "schedule": 3600.0},
    "sweep-analyses": {"task": "correlation.tasks.sweep", "schedule": 15.0},
    "repeat-young-analyses": {"task": "correlation.tasks.repeat", "schedule": 2.0},
    "write-reports": {"task": "timeline.tasks.write_reports", "schedule": 5.0},
    "prune-snapshots": {"task": "correlation.tasks.prune_snapshots", "schedule": 3600.0},
    "converge-incidents": {"task": "incidents.tasks.converge", "schedule": 15.0},
    "resolve-quiet-incidents": {"task": "incidents.tasks.resolve_quiet", "schedule": 10.0},
    "mark-stale-alerts": {"task": "incidents.tasks.mark_stale_alerts", "schedule": 30.0},
    "end-flapping": {"task": "incidents.tasks.end_flapping", "schedule": 10.0},
    "check-heartbeats": {"task": "incidents.tasks.check_heartbeats", "schedule": 10.0},
    "release-maintenance": {"task": "incidents.tasks.release_maintenance", "schedule": 10.0},
    "archive-incidents": {"task": "incidents.tasks.archive_due", "schedule": 60.0},
    "prune-deliveries": {"task": "incidents.tasks.prune_deliveries", "schedule": 3600.0},
    "sweep-deliveries": {"task": "incidents.tasks.sweep_deliveries", "schedule": 10.0},
    "evaluate-slos": {"task": "slos.tasks.evaluate", "schedule": 60.0},
    "catch-up-slos": {"task": "slos.tasks.catch_up", "schedule": 300.0},
    "prune-slo-history": {"task": "slos.tasks.prune_history", "schedule": 3600.0},
    "sweep-notifications": {"task": "incidents.tasks.send_notifications", "schedule": 3.0},
}

RECONCILE_SECONDS = env.seconds("RECONCILE_SECONDS", 60.0, low=5, high=3600)
RECONCILE_SETTLE_SECONDS = env.seconds("RECONCILE_SETTLE_SECONDS", 600.0)
RECONCILE_ABSENT_SECONDS = env.seconds("RECONCILE_ABSENT_SECONDS", 600.0)
RECONCILE_LOST_AFTER_SECONDS = env.seconds("RECONCILE_LOST_AFTER_SECONDS", 600.0)
CELERY_BEAT_SCHEDULE["reconcile-alerts"] = {
    "task": "incidents.tasks.reconcile_alerts",
    "schedule": RECONCILE_SECONDS,
}
ALERT_REPEAT_INTERVAL_SECONDS = env.seconds("ALERT_REPEAT_INTERVAL_SECONDS", 4 * 3600.0, low=10)
ALERT_FLAP_CHANGES = env.integer("ALERT_FLAP_CHANGES", 6, low=1)
ALERT_FLAP_WINDOW_SECONDS = env.seconds("ALERT_FLAP_WINDOW_SECONDS", 1800.0, low=10)
ALERT_FLAP_QUIET_SECONDS = env.seconds("ALERT_FLAP_QUIET_SECONDS", 600.0)

# how often an open page's socket asks whether its session still holds
SOCKET_CHECK_SECONDS = env.seconds("SOCKET_CHECK_SECONDS", 60.0, low=0.1, high=3600)

CORRELATION_SLOTS = env.integer("CORRELATION_SLOTS", 10, low=1, high=200)
CORRELATION_LEASE_SECONDS = env.seconds("CORRELATION_LEASE_SECONDS", 60.0, low=1)
CORRELATION_DEADLINE_SECONDS = env.seconds("CORRELATION_DEADLINE_SECONDS", 10.0, low=0.1, high=300)
CORRELATION_REPEATS_SECONDS = (15, 30, 60, 120, 300)
SLO_HISTORY_DAYS = env.integer("SLO_HISTORY_DAYS", 400, low=100, high=3650)
EVIDENCE_SNAPSHOT_DAYS = env.integer("EVIDENCE_SNAPSHOT_DAYS", 90, low=0, high=3650)
EVIDENCE_SNAPSHOT_MAX_BYTES = env.integer("EVIDENCE_SNAPSHOT_MAX_BYTES", 2_000_000, low=0)

# images of notes: processes that share a database share this directory too
NOTE_IMAGES_DIR = Path(env.text("NOTE_IMAGES_DIR", str(STUDIO_DIR / "images"))).expanduser()
NOTE_IMAGES_MOST = env.integer("NOTE_IMAGES_MOST", 6, low=1, high=50)
NOTE_IMAGE_MAX_BYTES = env.integer("NOTE_IMAGE_MAX_BYTES", 5_000_000, low=1000)
NOTE_IMAGE_MAX_PIXELS = env.integer("NOTE_IMAGE_MAX_PIXELS", 40_000_000, low=10_000)

INTAKE_MAX_BYTES = env.integer("INTAKE_MAX_BYTES", 5_000_000, low=1000)
DATA_UPLOAD_MAX_MEMORY_SIZE = INTAKE_MAX_BYTES  # Django's own limit answers a bare 400
INTAKE_MAX_ALERTS = env.integer("INTAKE_MAX_ALERTS", 10_000, low=1)
INTAKE_MAX_LABELS = env.integer("INTAKE_MAX_LABELS", 100, low=1)
INTAKE_MAX_LABEL_LENGTH = env.integer("INTAKE_MAX_LABEL_LENGTH", 4096, low=16)
INTAKE_MAX_IN_WORK = env.integer("INTAKE_MAX_IN_WORK", 64, low=1)
INTAKE_MAX_WAITING = env.integer("INTAKE_MAX_WAITING", 100_000, low=1)
INTAKE_DELIVERY_RETENTION_DAYS = env.integer("INTAKE_DELIVERY_RETENTION_DAYS", 7, low=1, high=3650)
# how alike two open incidents of one cause must be to be merged, or proposed; above 1: never
MERGE_ABOVE = env.number("MERGE_ABOVE", 0.8, low=0.01, high=2, read=float)
MERGE_PROPOSE_ABOVE = env.number("MERGE_PROPOSE_ABOVE", 0.5, low=0.01, high=2, read=float)
RESOLVE_HOLD_DOWN_SECONDS = env.seconds("RESOLVE_HOLD_DOWN_SECONDS", 120.0)
REOPEN_WINDOW_SECONDS = env.seconds("REOPEN_WINDOW_SECONDS", 600.0)
ARCHIVE_AFTER_SECONDS = env.seconds("ARCHIVE_AFTER_SECONDS", 24 * 3600.0)
JOIN_NEIGHBOURS_SECONDS = env.seconds("JOIN_NEIGHBOURS_SECONDS", 300.0)

POSTMORTEM_REQUIRES_APPROVAL = env.boolean("POSTMORTEM_REQUIRES_APPROVAL", True)

# --- telemetry -------------------------------------------------------------------------

PROMETHEUS_URL = env.url("PROMETHEUS_URL")
LOKI_URL = env.url("LOKI_URL")
TEMPO_URL = env.url("TEMPO_URL")
ALERTMANAGER_URL = env.url("ALERTMANAGER_URL")
ALERTMANAGER_FIELDS = {
    "receiver": env.text("ALERTMANAGER_RECEIVER"),
    "auth_variable": env.text("ALERTMANAGER_AUTH_VARIABLE"),
    "auth_file": env.text("ALERTMANAGER_AUTH_FILE"),
    "ca_file": env.text("ALERTMANAGER_CA_FILE"),
}
KUBECONFIG = env.text("KUBECONFIG")
# where Kubernetes mounts what a pod may sign in with
KUBERNETES_SERVICE_ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")
KUBERNETES_IN_CLUSTER = env.boolean(
    "KUBERNETES_IN_CLUSTER",
    bool(env.text("KUBERNETES_SERVICE_HOST"))
    and (KUBERNETES_SERVICE_ACCOUNT_DIR / "token").exists(),
)
KUBERNETES_NAMESPACES = env.listing("KUBERNETES_NAMESPACES")
PROMETHEUS_PROFILE = env.text("PROMETHEUS_PROFILE")
SECRETS_DIR = env.text("SECRETS_DIR", "/run/secrets")
GRAFANA_URL = env.url("GRAFANA_URL")
STARTUP_PATIENCE_SECONDS = env.seconds("STARTUP_PATIENCE_SECONDS", 20.0, high=600)
# fields of the data source that each *_URL (and KUBECONFIG) seeds
DATA_SOURCE_FIELDS: dict[str, dict[str, Any]] = {
    kind.lower(): {
        "required": not env.boolean(f"{kind}_OPTIONAL"),
        "grafana_url": GRAFANA_URL,
        "grafana_uid": env.text(f"GRAFANA_{kind}_UID"),
        **(
            {}
            if kind == "KUBERNETES"
            else {
                "tenant": env.text(f"{kind}_TENANT"),
                "auth_variable": env.text(f"{kind}_AUTH_VARIABLE"),
                "auth_file": env.text(f"{kind}_AUTH_FILE"),
                "ca_file": env.text(f"{kind}_CA_FILE"),
            }
        ),
    }
    for kind in ("PROMETHEUS", "LOKI", "TEMPO", "KUBERNETES")
}
QUERY_PROFILES_DIR = env.text("QUERY_PROFILES_DIR")
SCRAPE_INTERVAL_SECONDS = env.seconds("SCRAPE_INTERVAL_SECONDS", 15.0, low=1, high=600)
LAB_URL = env.url("LAB_URL")

# --- notifications ---------------------------------------------------------------------

# as people's browsers reach the product, for links in messages
STUDIO_URL = env.url("STUDIO_URL") or f"http://localhost:{STUDIO_PORT}"
OUTBOUND_ALLOWED_NETWORKS = env.networks("OUTBOUND_ALLOWED_NETWORKS")
NOTIFY_GIVE_UP_SECONDS = env.seconds("NOTIFY_GIVE_UP_SECONDS", 6 * 3600.0, low=1)
EMAIL_BACKEND = "incidents.notify.smtp.Backend"
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", 587, low=1, high=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_SECURITY = env.text("EMAIL_SECURITY", {465: "ssl", 587: "starttls"}.get(EMAIL_PORT, "none"))
if EMAIL_SECURITY not in ("ssl", "starttls", "none"):
    env.report(
        "studio.E060",
        "EMAIL_SECURITY",
        f"EMAIL_SECURITY is {EMAIL_SECURITY!r}.",
        "Use ssl (from the first byte, port 465), starttls (port 587) or none.",
    )
EMAIL_USE_SSL = EMAIL_SECURITY == "ssl"
EMAIL_USE_TLS = EMAIL_SECURITY == "starttls"
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Reliability Studio <studio@localhost>")

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

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.RolePermission"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "accounts.paging.NewestFirst",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "EXCEPTION_HANDLER": "accounts.problems.handle",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "COERCE_DECIMAL_TO_STRING": False,
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "UPDATE_LAST_LOGIN": False,
    "ALGORITHM": "HS256",
    "SIGNING_KEY": SECRET_KEY,
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "user_id",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Reliability Studio",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["accounts.permissions.RolePermission"],
    # fields of one name with different values: a name for each set
    "ENUM_NAME_OVERRIDES": {
        "IncidentStatusEnum": "incidents.models.Status",
        "AnalysisStatusEnum": "correlation.models.Analysis.Status",
        "SeverityEnum": "incidents.models.Severity",
        "ServerOriginEnum": "incidents.models.Alertmanager.Origin",
        "EventSeverityEnum": "timeline.models.Severity",
        "AlertSourceKindEnum": "incidents.models.AlertSource.Kind",
        "ClosedAsEnum": "incidents.models.Incident.ClosedAs",
        "IncidentRoleEnum": "incidents.models.IncidentRole.Role",
        "DeliveryStateEnum": "incidents.models.Delivery.State",
        "NotificationStateEnum": "incidents.models.NotificationState",
        "NotificationEventEnum": "incidents.notify.events.EVENT_CHOICES",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- log -------------------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR"):
    env.report(
        "studio.E009",
        "LOG_LEVEL",
        f"LOG_LEVEL is {LOG_LEVEL!r}.",
        "Use DEBUG, INFO, WARNING or ERROR.",
    )
    LOG_LEVEL = "INFO"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "reliability_studio.request_log.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
    },
}
