"""Where, what and whose: the things that rules name. Each is known by its key, which never changes."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from coupons.models.keys import KEY_LENGTH, key_validator


class City(models.Model):
    """A city of prefecture level, by GB/T 2260 code."""

    key = models.CharField(
        _("code"), max_length=6, primary_key=True, validators=[RegexValidator(r"^\d{6}\Z", _("Six digits."))]
    )
    name = models.CharField(_("name"), max_length=40)
    name_en = models.CharField(_("English name"), max_length=60)
    province = models.CharField(_("province"), max_length=20)

    class Meta:
        verbose_name = _("city")
        verbose_name_plural = _("cities")
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name if (get_language() or "zh").startswith("zh") else self.name_en


class Named(models.Model):
    key = models.CharField(_("key"), max_length=KEY_LENGTH, primary_key=True, validators=[key_validator])
    name = models.CharField(_("name"), max_length=100)

    class Meta:
        abstract = True
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name


class Category(Named):
    """品类: what a coupon is for; goods of an order name theirs."""

    class Meta(Named.Meta):
        verbose_name = _("category")
        verbose_name_plural = _("categories")


class Merchant(Named):
    class Meta(Named.Meta):
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")


class Area(Named):
    """围栏: a service zone or business district; a point on its border is inside."""

    geojson = models.JSONField(_("shape"), help_text=_("GeoJSON Polygon or MultiPolygon in WGS-84."))

    class Meta(Named.Meta):
        verbose_name = _("area")
        verbose_name_plural = _("areas")

    def clean(self) -> None:
        from coupons.models.checks import area_fault  # the checks name other models

        fault = area_fault(self.geojson)
        if fault:
            error = ValidationError(fault.sentence, code="invalid_area", params={"at": fault.at})
            raise ValidationError({"geojson": error})


class Weather(models.Model):
    """What the weather is in a city, until when that is believed."""

    class Kind(models.TextChoices):
        CLEAR = "clear", _("clear")
        CLOUDY = "cloudy", _("cloudy")
        RAIN = "rain", _("rain")
        HEAVY_RAIN = "heavy_rain", _("heavy rain")
        THUNDERSTORM = "thunderstorm", _("thunderstorm")
        SNOW = "snow", _("snow")
        FOG = "fog", _("fog")
        HAZE = "haze", _("haze")
        SANDSTORM = "sandstorm", _("sandstorm")
        STRONG_WIND = "strong_wind", _("strong wind")
        HEAT = "heat", _("extreme heat")
        COLD = "cold", _("extreme cold")

    city = models.ForeignKey(City, models.CASCADE, verbose_name=_("city"))
    kind = models.CharField(_("weather"), max_length=16, choices=Kind)
    starts_at = models.DateTimeField(pgettext_lazy("weather", "from"))
    ends_at = models.DateTimeField(_("until"))
    is_override = models.BooleanField(
        _("said by an operator"), default=True, help_text=_("An operator's word goes before a provider's.")
    )

    class Meta:
        verbose_name = _("weather")
        verbose_name_plural = _("weather")
        indexes = [models.Index(fields=["city", "ends_at"], name="weather_city")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="weather_ends_after_start",
                violation_error_message=_("The end must be after the start."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.city} {self.get_kind_display()}"


class Catalogue(models.Model):
    """One row: the version of everything that rules and offers are compiled from.

    Statement triggers raise it with every change of those tables; a process that holds an older version
    compiles again, and the issuing function refuses to work from a stale one.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=1)

    class Meta:
        verbose_name = _("catalogue")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="catalogue_is_one")]
