"""Staff pages about people, their keys and invites. They show no image and open no key."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin  # noqa: F401  (registers groups)
from django.contrib.auth.models import Group

from accounts.admin import invites, keys  # noqa: F401  (register their pages)

# Rights here are a person's own, or come with being staff: groups would be a second way.
admin.site.unregister(Group)
