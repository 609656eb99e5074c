"""H5领取页: the page on which a placement is claimed, and the signed links that tell who brought the customer."""

from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from distribution.models.campaigns import Placement

#: Names of other pages below /h5/.
RESERVED = ("wallet", "sign-in", "sign-out", "wechat")
slug_validator = RegexValidator(
    rf"^(?!(?:{'|'.join(RESERVED)})\Z)[a-z0-9](?:[a-z0-9-]{{0,38}}[a-z0-9])?\Z",
    _("Small letters, digits and single hyphens between them, at most 40; some words are taken."),
    "invalid_slug",
)
colour_validator = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", _("A colour such as #e5484d."), "invalid_colour")


class ClaimPage(models.Model):
    """What customers see of a placement of form H5. Its state and its offers are the placement's."""

    class Skin(models.TextChoices):
        FESTIVE = "festive", _("festive red")
        FRESH = "fresh", _("fresh green")
        SKY = "sky", _("sky blue")
        NIGHT = "night", _("night gold")
        PLAIN = "plain", _("plain")

    placement = models.OneToOneField(
        Placement,
        models.PROTECT,
        verbose_name=_("placement"),
        related_name="claim_page",
        limit_choices_to={"form": "h5"},
    )
    slug = models.CharField(
        _("address"),
        max_length=40,
        unique=True,
        validators=[slug_validator],
        help_text=_("The page is at /h5/address/."),
    )
    title = models.CharField(_("heading"), max_length=40)
    lead = models.CharField(_("below the heading"), max_length=120, blank=True)
    button = models.CharField(_("words on the button"), max_length=12, blank=True, help_text=_("Empty: Claim now."))
    notes = models.TextField(_("notes"), max_length=1000, blank=True, help_text=_("A line each, below the coupons."))
    picture = models.CharField(_("head picture"), max_length=120, blank=True)
    skin = models.CharField(_("skin"), max_length=8, choices=Skin, default=Skin.FESTIVE)
    accent = models.CharField(
        _("colour of buttons"),
        max_length=7,
        blank=True,
        validators=[colour_validator],
        help_text=_("Empty: the skin's."),
    )
    background = models.CharField(
        _("colour of the page"),
        max_length=7,
        blank=True,
        validators=[colour_validator],
        help_text=_("Empty: the skin's."),
    )
    use_label = models.CharField(_("where to use it"), max_length=20, blank=True, help_text=_("Such as: Order now."))
    use_url = models.CharField(
        _("… its address"), max_length=300, blank=True, validators=[URLValidator(schemes=["https"])]
    )
    share_title = models.CharField(
        _("title when shared"), max_length=40, blank=True, help_text=_("Empty: the heading.")
    )
    share_text = models.CharField(_("text when shared"), max_length=80, blank=True)
    with_wechat = models.BooleanField(
        _("sign in with WeChat"), default=True, help_text=_("Where WeChat is set up: reads the nickname.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("H5 page")
        verbose_name_plural = _("H5 pages")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title


class ClaimLink(models.Model):
    """推广链接: a page's address in the hands of one street team or partner. ``ended_at``: counts no longer."""

    page = models.ForeignKey(ClaimPage, models.CASCADE, related_name="links")
    name = models.CharField(_("who has it"), max_length=60)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("link")
        verbose_name_plural = _("links")
        constraints = [models.UniqueConstraint(fields=["page", "name"], name="claim_link_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def reason(self) -> str:
        """What stands on the event of a coupon that came by it."""
        return f"link:{self.pk}"
