"""What a phone asks for to keep the site among its apps: a manifest, a service worker and the page
that the worker shows without a connection. They say the same to everybody."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

BACKGROUND = "#F7F6F3"  # --bg of static/css/site.css
ICONS = (("img/icon-192.png", 192, "any"), ("img/icon-512.png", 512, "any"))
MASKABLE = ("img/icon-maskable-512.png", 512, "maskable")
# What the page without a connection needs.
KEPT = ("css/site.css", "js/site.js", "js/kept-files.js", "img/icons.svg", "img/favicon.svg")


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    icons = [
        {"src": static(name), "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
        for name, side, purpose in (*ICONS, MASKABLE)
    ]
    about = {
        "name": "ImageShare",
        "short_name": "ImageShare",
        "description": _("Images, encrypted for the people you choose"),
        "lang": get_language(),
        "id": "/",
        "start_url": reverse("home"),
        "scope": "/",
        "display": "standalone",
        "background_color": BACKGROUND,
        "theme_color": BACKGROUND,
        "icons": icons,
        "share_target": {
            "action": reverse("gallery:shared"),
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"files": [{"name": "images", "accept": ["image/*"]}]},
        },
    }
    return JsonResponse(about, content_type="application/manifest+json")


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Serve the worker below the root, since it works only below its own address."""
    version = settings.STATIC_ROOT.name if settings.STATIC_ROOT else "plain"
    facts = {
        "version": version,
        "kept": [static(name) for name in KEPT],
        "shared_files": static("js/shared-files.js"),
    }
    return render(request, "service-worker.js", facts, content_type="text/javascript")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Answer without the request, so that the page knows nobody."""
    return HttpResponse(render_to_string("offline.html", {"theme": "system"}))
