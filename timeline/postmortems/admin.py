"""The admin of postmortem templates: their sections, order, titles and hints."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from timeline.postmortems.models import PostmortemTemplate, TemplateSection
from timeline.postmortems.templates import BUILT_IN


class SectionForm(forms.ModelForm):
    def has_changed(self) -> bool:
        """A built-in section that is offered for a new template is saved untouched too."""
        return self.instance._state.adding or super().has_changed()


class SectionInline(admin.TabularInline[TemplateSection, PostmortemTemplate]):
    model = TemplateSection
    form = SectionForm

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return len(BUILT_IN) if obj is None else 0


@admin.register(PostmortemTemplate)
class PostmortemTemplateAdmin(admin.ModelAdmin[PostmortemTemplate]):
    """A new template begins with the built-in sections."""

    list_display = ("name", "enabled", "severity", "service")
    list_filter = ("enabled", "severity")
    list_select_related = ("service",)
    search_fields = ("name",)
    inlines = (SectionInline,)

    def get_formset_kwargs(
        self, request: HttpRequest, obj: PostmortemTemplate, inline: Any, prefix: str
    ) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj._state.adding:
            kwargs["initial"] = [
                {"name": one.name, "title": one.title, "hint": one.hint, "position": position}
                for position, one in enumerate(BUILT_IN)
            ]
        return kwargs
