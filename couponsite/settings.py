"""Everything that differs between places comes from the environment; the table in README.md lists it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import environ
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from couponsite import admin_look, embedded, secret

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = secret.var_dir()  # embedded database, queue, uploads

# --- who and where -----------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret.keep_one() if DEBUG else env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is not set. A server needs one of its own: 50 random characters or more.")
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=LOOPBACK)

CUSTOMER_JWT_KEY = env.str("CUSTOMER_JWT_KEY", default="", multiline=True)  # a shared secret, or a public key as PEM
CUSTOMER_JWT_ALGORITHMS = env.list("CUSTOMER_JWT_ALGORITHMS", default=["HS256"])
CUSTOMER_JWT_ISSUER = env.str("CUSTOMER_JWT_ISSUER", default="")
CUSTOMER_JWT_AUDIENCE = env.str("CUSTOMER_JWT_AUDIENCE", default="coupons")

# --- parts -------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "couponsite",
    "stats",
    "distribution",
    "redemption",
    "coupons",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "axes",
]
ROOT_URLCONF = "couponsite.urls"
WSGI_APPLICATION = "couponsite.wsgi.application"

# Requests to /api/ go from `Doors` straight to their view; everything below it is for the admin's pages.
MIDDLEWARE = [
    "couponsite.problems.Doors",
    "couponsite.https.Https",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "couponsite.language.OperatorsChoice",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
    "couponsite.strays.Untypable",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database, cache, queue --------------------------------------------------------------------------------------

DATABASES = {
    "default": env.db_url("DATABASE_URL")
    if env("DATABASE_URL", default="")
    else embedded.database(VAR_DIR / "postgres")
}
DATABASES["default"].setdefault("CONN_MAX_AGE", None)
if not DATABASES["default"]["ENGINE"].endswith((".postgresql", ".embedded")):
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database: postgres://user:password@host:port/name")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or REDIS_URL or "filesystem://"
if CELERY_BROKER_URL == "filesystem://":
    QUEUE_DIR = VAR_DIR / "queue"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(QUEUE_DIR),
        "data_folder_out": str(QUEUE_DIR),
        "control_folder": str(QUEUE_DIR / "control"),
        "processed_folder": str(QUEUE_DIR / "done"),
    }
CELERY_TASK_IGNORE_RESULT = True  # what came of long work stands in its own row
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# --- language and time -------------------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "couponsite" / "parts_locale"]  # for the parts that bring no Simplified Chinese
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Shanghai")  # a day is a day here
CELERY_TIMEZONE = TIME_ZONE

PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")  # in links that customers are sent

# How long a process works from one look at the catalogue of templates, which may have changed elsewhere.
CATALOGUE_SECONDS = env.float("CATALOGUE_SECONDS", default=0.5)
EVENTS_SECONDS = env.float("EVENTS_SECONDS", default=1)  # how often a process writes down events that set nothing off
EVENT_DAYS = env.int("EVENT_DAYS", default=30)  # how long events of the app are kept
# A template that may cost more than this, in fen, needs two approvers; unset: one is enough, whatever it costs.
SECOND_APPROVAL_ABOVE_FEN = env.int("SECOND_APPROVAL_ABOVE_FEN", default=None)
REFUSALS_SECONDS = env.float("REFUSALS_SECONDS", default=5)  # how often a process writes down what it refused
SIGHTS_SECONDS = env.float("SIGHTS_SECONDS", default=5)  # … and which coupons it was the first to show
# Redemption codes are known by a digest under this key alone: with another key no code works any more.
CODES_KEY = env.str("CODES_KEY", default="") or SECRET_KEY
CODE_FAILURES = env.int("CODE_FAILURES", default=10)  # wrong codes of an account, or of an address …
CODE_FAILURES_ALL = env.int("CODE_FAILURES_ALL", default=1000)  # … or of everybody together …
CODE_FAILURE_MINUTES = env.float("CODE_FAILURE_MINUTES", default=10)  # … within so many minutes
# The company's risk service: POST of who claims what and whence, {"accept": true or false}; unset: nobody is asked.
RISK_URL = env.str("RISK_URL", default="")
RISK_KEY = env.str("RISK_KEY", default="")
RISK_TIMEOUT = env.float("RISK_TIMEOUT", default=0.3)  # seconds of silence …
RISK_WHEN_SILENT = env.str("RISK_WHEN_SILENT", default="refuse")  # … which are answered so: "refuse" or "accept"
# Coupons bound to accounts: how long that can be called back, and the cost in fen above which a second person confirms.
BIND_MINUTES = env.float("BIND_MINUTES", default=10)
BIND_SECOND_ABOVE_FEN = env.int("BIND_SECOND_ABOVE_FEN", default=1_000_000)
HOLD_MINUTES = env.float("HOLD_MINUTES", default=15)  # how long an order keeps the coupons that it holds

# What maps show below areas: an address as https://tiles.example.com/{z}/{x}/{y}.png, its datum (Chinese maps: gcj02)
# and who is to be named; unset: a grid of coordinates, and nothing leaves the house.
MAP_TILES = env.str("MAP_TILES", default="")
MAP_TILES_DATUM = env.str("MAP_TILES_DATUM", default="wgs84")
MAP_TILES_BY = env.str("MAP_TILES_BY", default="")

# Who says what the weather is: "qweather" or "open_meteo", at which address, with which key; unset: operators alone do.
WEATHER_PROVIDER = env.str("WEATHER_PROVIDER", default="")
WEATHER_URL = env.str("WEATHER_URL", default="https://api.open-meteo.com")
WEATHER_KEY = env.str("WEATHER_KEY", default="")

# --- files -------------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_COLLECTED = env.bool("STATIC_COLLECTED", default=False)  # said by `make serve`, which collects them first
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED
MEDIA_ROOT = VAR_DIR / "uploads"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes of a body; 1,000 rows with their facts fit

# --- safe unless told otherwise ----------------------------------------------------------------------------------

HTTPS = env.bool("HTTPS", default=not DEBUG)  # pages on loopback addresses are served without it, too
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # couponsite.https redirects, every host but loopback
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# How many proxies of our own add to X-Forwarded-For: the address that the outermost of them saw is the caller's.
PROXY_HOPS = env.int("PROXY_HOPS", default=1) if BEHIND_PROXY else 0
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
CSRF_FAILURE_VIEW = "couponsite.strays.csrf_failed"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "couponsite/locked_out.html"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
UNFOLD = admin_look.UNFOLD

# --- messages to customers ---------------------------------------------------------------------------------------

SMS_GATEWAY = env.str("SMS_GATEWAY", default="recording")  # recording, aliyun, tencent
SMS_KEY = env.str("SMS_KEY", default="")  # AccessKey ID, SecretId
SMS_SECRET = env.str("SMS_SECRET", default="")
SMS_SIGN_NAME = env.str("SMS_SIGN_NAME", default="")  # 短信签名
SMS_APP_ID = env.str("SMS_APP_ID", default="")  # Tencent's SmsSdkAppId
SMS_REGION = env.str("SMS_REGION", default="ap-guangzhou")
SMS_BASE_URL = env.str("SMS_BASE_URL", default="")  # empty: the provider's own
SMS_PRICE_FEN = env.int("SMS_PRICE_FEN", default=5)  # of each part of a message
SMS_REPORT_TOKEN = env.str("SMS_REPORT_TOKEN", default="")  # they report to /api/v1/reports/aliyun/TOKEN/
PUSH_GATEWAY = env.str("PUSH_GATEWAY", default="recording")  # recording, jpush
PUSH_KEY = env.str("PUSH_KEY", default="")
PUSH_SECRET = env.str("PUSH_SECRET", default="")
PUSH_BASE_URL = env.str("PUSH_BASE_URL", default="")
QUIET_HOURS = env.str("QUIET_HOURS", default="22:00-08:00")  # in TIME_ZONE; empty: none
MESSAGE_THREADS = env.int("MESSAGE_THREADS", default=4)  # messages on their way at once, in a worker
MESSAGE_RECORD = VAR_DIR / "messages.jsonl"  # where "recording" writes instead of sending

# --- H5 pages ----------------------------------------------------------------------------------------------------

H5_SMS_DAILY_FEN = env.int("H5_SMS_DAILY_FEN", default=50_000)  # what sign-in codes may cost in a day
H5_CODES_PER_ADDRESS = env.int("H5_CODES_PER_ADDRESS", default=60)  # an hour; many people share one
H5_PHONE_PREFIXES = env.list("H5_PHONE_PREFIXES", default=["+86"])  # where codes are sent to
WECHAT_APP_ID = env.str("WECHAT_APP_ID", default="")  # unset: no sign-in with WeChat
WECHAT_SECRET = env.str("WECHAT_SECRET", default="")
WECHAT_OPEN_URL = env.str("WECHAT_OPEN_URL", default="https://open.weixin.qq.com")  # where customers agree
WECHAT_API_URL = env.str("WECHAT_API_URL", default="https://api.weixin.qq.com")

# For the demo alone: a phone on which everybody's messages are read, and a WeChat that lets anybody in.
STAND_INS = env.bool("STAND_INS", default=False)

# --- reports by e-mail -------------------------------------------------------------------------------------------

# smtp+tls://user:password@host:587 or consolemail://; unset: written to files below VAR_DIR instead of sent.
vars().update(env.email_url("EMAIL_URL", default=f"filemail:///{VAR_DIR / 'mail'}"))
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="coupons@localhost")
EMAIL_TIMEOUT = 20

# --- API pages ---------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "couponsite.problems.leave_to_the_doors",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Coupons",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",  # whose words for shapes are those of pydantic
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    "POSTPROCESSING_HOOKS": ["couponsite.schema.say_no_everywhere"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "customer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "system": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Api-Key KEY`"},
        }
    },
    "SECURITY": [{"customer": []}, {"system": []}],
}

#: Hosts within our own network that webhooks may call, as ``host`` or ``host:port``.
WEBHOOK_PRIVATE_HOSTS = env.list("WEBHOOK_PRIVATE_HOSTS", default=[])
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # unset: /metrics/ answers nobody

# --- logs --------------------------------------------------------------------------------------------------------

_stamps: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[*_stamps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _stamps,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"level": "INFO"},
        "django.request": {"level": "ERROR"},  # a refused claim is an answer, not an incident
        "axes": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},  # whole addresses, with what was said in them
    },
}
