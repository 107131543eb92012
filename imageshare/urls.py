"""Every address. They are stable: people script against them (docs/http.md)."""

from django.contrib import admin
from django.urls import include, path, register_converter
from django.views.generic import RedirectView

from accounts import usernames
from accounts.views import people
from imageshare import installing, views
from imageshare.components import components

register_converter(usernames.InAddress, "username")

urlpatterns = [
    path("", views.home, name="home"),
    path("about/protection/", views.protection, name="protection"),
    path("components/", components, name="components"),
    path("preferences/theme/", views.theme, name="theme"),
    path("preferences/language/", views.language, name="language"),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("service-worker.js", installing.worker, name="service-worker"),
    path("offline/", installing.offline, name="offline"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path(
        ".well-known/change-password",
        RedirectView.as_view(pattern_name="accounts:password"),
        name="change-password",
    ),
    path(".well-known/security.txt", views.security_txt, name="security-txt"),
    path("accounts/", include("accounts.urls")),
    path("people/<username:username>/", people.person, name="person"),
    path("", include("gallery.urls")),
    # Staff sign in as everybody does: same throttle, same trail, same keys.
    path("admin/login/", RedirectView.as_view(pattern_name="accounts:login", query_string=True)),
    path("admin/logout/", RedirectView.as_view(pattern_name="accounts:security")),
    path("admin/password_change/", RedirectView.as_view(pattern_name="accounts:password")),
    path("admin/password_change/done/", RedirectView.as_view(pattern_name="accounts:password")),
    path("admin/", admin.site.urls),
]

handler400 = "imageshare.views.bad_request"
handler403 = "imageshare.views.forbidden"
handler404 = "imageshare.views.not_found"
handler500 = "imageshare.views.server_error"
