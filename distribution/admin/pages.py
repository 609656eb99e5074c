"""H5领取页: made for one placement, watched while it is written; its links for street teams and partners."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet, Value
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _
from unfold import widgets
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from coupons import pictures
from coupons.admin.desk import DeskInline
from coupons.admin.history import WithHistory
from coupons.admin.uploading import take_picture
from coupons.queries import catalogue
from distribution import sources
from distribution.admin import qr
from distribution.admin.seen import SeenForm
from distribution.admin.states import PLACEMENT_CHIPS, PLACEMENT_STATES, placement_state
from distribution.admin.tool_desk import onwards
from distribution.h5.door import HOME
from distribution.h5.looks import page_rule, stylesheet
from distribution.h5.pages import Said, context_of
from distribution.models import ClaimLink, ClaimPage, Placement
from distribution.queries import placements
from distribution.queries.pages import CompiledPage


class ClaimPageForm(SeenForm):
    picture_file = forms.FileField(
        label=gettext_lazy("Head picture"),
        required=False,
        help_text=gettext_lazy("PNG, JPEG or WebP, at most 2 MB. It is as wide as the page."),
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp", "class": "desk-file"}),
    )
    without_picture = forms.BooleanField(
        label=gettext_lazy("Without the picture"), required=False, widget=widgets.UnfoldBooleanWidget()
    )
    skin = forms.ChoiceField(
        label=gettext_lazy("Skin"), choices=ClaimPage.Skin.choices, widget=widgets.UnfoldAdminRadioSelectWidget()
    )

    class Meta:
        model = ClaimPage
        fields = ()
        widgets = {
            "notes": widgets.UnfoldAdminTextareaWidget({"rows": 4}),
            "picture": forms.HiddenInput(),
            "lead": widgets.UnfoldAdminTextInputWidget(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("skin", ClaimPage.Skin.FESTIVE)
        if "placement" in self.fields:
            free = Placement.objects.filter(form=Placement.Form.H5, claim_page=None).order_by("-id")
            if self.instance.pk:
                free = Placement.objects.filter(pk=self.instance.placement_id)
                self.fields["placement"].disabled = True
            self.fields["placement"].queryset = free  # type: ignore[attr-defined]

    def clean_picture(self) -> str:
        """Nothing but what an upload was given."""
        address = self.cleaned_data["picture"]
        if address and not pictures.is_kept(address):
            raise ValidationError(_("A picture as PNG, JPEG or WebP."))
        return address

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        take_picture(self, cleaned)
        if cleaned.get("use_label") and not cleaned.get("use_url"):
            self.add_error("use_url", _("Say where the button leads."))
        return cleaned


class LinkInline(DeskInline):
    model = ClaimLink
    fields = ("name", "address", "issued", "ended_at")
    readonly_fields = ("address", "issued")
    verbose_name_plural = gettext_lazy("Links for street teams and partners")
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClaimLink]:
        """Each row knows how it is reached from outside, and how many came by it."""
        origin = Value(request.build_absolute_uri("/").rstrip("/"))
        links = super().get_queryset(request).select_related("page")
        return sources.reached(links).annotate(origin=origin).order_by("-id")

    @display(description=gettext_lazy("Address"))
    def address(self, obj: Any) -> SafeString | str:
        if obj is None or not obj.pk:
            return _("There once it is saved.")
        page = reverse("admin:distribution_claimpage_changelist")
        context = {
            "id": f"link-{obj.pk}",
            "address": f"{obj.origin}{HOME}{obj.page.slug}/?s={sources.signed(obj)}",
            "pictures": [(kind.upper(), f"{page}{obj.page_id}/qr/{obj.pk}.{kind}") for kind in qr.TYPES],
        }
        return render_to_string("distribution/admin/link.html", context)

    @display(description=gettext_lazy("Given out"))
    def issued(self, obj: Any) -> SafeString | str:
        if obj is None or not obj.pk:
            return ""
        return format_html('<span class="desk-number">{}</span>', f"{obj.issued_count:,}")


@admin.register(ClaimPage)
class ClaimPageAdmin(WithHistory):
    form = ClaimPageForm
    inlines = (LinkInline,)
    change_form_outer_before_template = "distribution/admin/page_top.html"
    change_form_before_template = "distribution/admin/seen.html"
    change_form_after_template = "distribution/admin/page_preview.html"
    empty_words = gettext_lazy(
        "No H5 pages yet. Make a placement of the form H5 page first; its page says what customers see there."
    )
    list_display = ("named", "placement_name", "state", "skin_name", "opened")
    list_filter = (("skin", ChoicesDropdownFilter), ("placement__status", ChoicesDropdownFilter))
    search_fields = ("slug", "title", "placement__key", "placement__title")
    list_select_related = ("placement__campaign",)
    fieldsets = (
        (None, {"fields": ("placement", "slug", "seen", "picture")}),
        (gettext_lazy("Words"), {"fields": ("title", "lead", "button", "notes")}),
        (gettext_lazy("Looks"), {"fields": ("skin", "accent", "background", "picture_file", "without_picture")}),
        (gettext_lazy("Using and sharing"), {"fields": ("use_label", "use_url", "share_title", "share_text")}),
        (gettext_lazy("Signing in"), {"fields": ("with_wechat",)}),
    )

    class Media:
        css = {"all": ("distribution/desk.css", "distribution/page_preview.css")}
        js = ("distribution/desk.js", "distribution/page_preview.js")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may only read has no picture to choose."""
        fieldsets = super().get_fieldsets(request, obj)
        hidden = ("seen", "picture", "picture_file", "without_picture") if self.reads_only(request, obj) else ("seen",)
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name not in hidden]})
            for title, options in fieldsets
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """``?placement=``: set up for that placement."""
        asked = super().get_changeform_initial_data(request)
        placement = asked.get("placement", "")
        found = Placement.objects.filter(pk=int(placement)).first() if str(placement).isdecimal() else None
        if found:
            return {"title": found.title[:40], "slug": found.key.lower().replace("_", "-")[:40], **asked}
        return asked

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return onwards(obj)

    def hangs(self, obj: Any) -> bool:
        return obj.placement.status != Placement.Status.DRAFT

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        state = placement_state(obj.placement)
        address = request.build_absolute_uri(f"{HOME}{obj.slug}/")
        links = [(_("Open the page"), address)]
        if request.user.has_perm("distribution.view_placement"):
            links.append((_("Placement"), reverse("admin:distribution_placement_change", args=[obj.placement_id])))
        notes = []
        if not obj.placement.offers.exists():
            notes.append(_("Its placement offers nothing yet."))
        if obj.placement.status == Placement.Status.DRAFT:
            notes.append(_("Its placement is a draft: only operators see the page."))
        return {
            "chip": (PLACEMENT_STATES[state], PLACEMENT_CHIPS[state]),
            "title": obj.title,
            "links": links,
            "notes": notes,
            "address": address,
            "pictures": [(kind.upper(), f"../qr/page.{kind}") for kind in qr.TYPES],
        }

    # --- beside the form ------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("preview/", wrap(self.preview_view), name="distribution_claimpage_preview"),
            path("<int:pk>/qr/<slug:what>.<slug:kind>", wrap(self.qr_view), name="distribution_claimpage_qr"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The page as it would be with what is in the form now; what is wrong in it is left out."""
        if request.method != "POST" or not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        number = request.POST.get("page", "")
        stored = ClaimPage.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
        form = self.get_form(request, stored, change=stored is not None)(request.POST, request.FILES, instance=stored)
        form.is_valid()
        wrong = form.errors.get("picture_file", [])
        page = form.instance
        for name in {field.name for field in ClaimPage._meta.concrete_fields} & set(form.errors) - {"placement"}:
            setattr(page, name, ClaimPage._meta.get_field(name).get_default())  # type: ignore[union-attr]
        page.slug = page.slug or "-"
        placement = stored.placement if stored else form.cleaned_data.get("placement")
        book = catalogue.current()
        compiled = placements.find(book, placement.key) if placement else None
        shown: dict[str, Any] = {"page": page, "cards": [], "notes": page.notes.splitlines(), "state": "claimable"}
        if compiled is not None:
            found = CompiledPage(page, compiled)
            shown = context_of(found, Said("claimable"), catalogue.business_now())
            shown["stylesheet"] = stylesheet(None, [offer.template for offer in compiled.offers])
        context = {**shown, "preview": True, "inline_style": page_rule(page), "language": get_language()}
        html = render_to_string("distribution/h5/page.html", context)
        return JsonResponse({"html": html, "picture": page.picture, "wrong": " ".join(wrong)})

    def qr_view(self, request: HttpRequest, pk: int, what: str, kind: str) -> HttpResponse:
        """The address as a QR code, of a size to be printed."""
        page = ClaimPage.objects.filter(pk=pk).first()
        if page is None or kind not in qr.TYPES:
            raise Http404
        if not self.has_view_permission(request, page):
            raise PermissionDenied
        address = request.build_absolute_uri(f"{HOME}{page.slug}/")
        if what != "page":
            link = page.links.filter(pk=int(what)).first() if what.isdecimal() and len(what) < 19 else None
            if link is None:
                raise Http404
            address = f"{address}?s={sources.signed(link)}"
        return qr.picture(address, f"{page.slug}-{what}", kind)

    # --- columns --------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("H5 page"), header=True, ordering="title")
    def named(self, obj: Any) -> list[str]:
        return [obj.title, f"{HOME}{obj.slug}/"]

    @display(description=gettext_lazy("Placement"))
    def placement_name(self, obj: Any) -> str:
        return str(obj.placement)

    @display(description=gettext_lazy("State"), label=PLACEMENT_CHIPS, ordering="placement__status")
    def state(self, obj: Any) -> tuple[str, str]:
        state = placement_state(obj.placement)
        return state, str(PLACEMENT_STATES[state])

    @display(description=gettext_lazy("Skin"), ordering="skin")
    def skin_name(self, obj: Any) -> str:
        return obj.get_skin_display()

    @display(description=gettext_lazy("Page"))
    def opened(self, obj: Any) -> SafeString:
        return format_html('<a class="desk-link" href="{}{}/">{} →</a>', HOME, obj.slug, pgettext("a page", "open"))
