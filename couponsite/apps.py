from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from couponsite import catalogues


class CouponsiteConfig(AppConfig):
    name = "couponsite"
    verbose_name = _("Coupon back office")

    def ready(self) -> None:
        catalogues.compile_changed()
        if settings.CELERY_BROKER_URL == "filesystem://":
            settings.QUEUE_DIR.mkdir(parents=True, exist_ok=True)
