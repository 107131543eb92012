from django.apps import AppConfig
from django.contrib.admin import apps as django_admin  # by its name Django would choose its class
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("People and keys")

    def ready(self) -> None:
        from accounts import checks  # noqa: F401  (registers them)


class StaffPagesConfig(django_admin.AdminConfig):
    """Django's admin, behind our own question who is staff."""

    default = False  # of this module, the one above is meant where only "accounts" is named
    default_site = "imageshare.staff_site.WholeSite"
