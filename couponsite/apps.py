from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from couponsite import catalogues


class CouponsiteConfig(AppConfig):
    name = "couponsite"
    verbose_name = _("Coupon back office")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        catalogues.compile_changed()  # before any other app may have asked for a word

    def ready(self) -> None:
        from couponsite import roles  # names models, which are there only now

        # An app without models, as this one, is told of no migration.
        post_migrate.connect(roles.synchronise, sender=apps.get_app_config("coupons"))
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise wants it, even empty
        if settings.CELERY_BROKER_URL == "filesystem://":
            settings.QUEUE_DIR.mkdir(parents=True, exist_ok=True)
