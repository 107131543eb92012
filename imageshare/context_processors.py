"""What every page knows about how it is shown."""

from django.http import HttpRequest

THEMES = ("system", "light", "dark")


def theme(request: HttpRequest) -> dict[str, str]:
    chosen = request.COOKIES.get("theme", "system")
    return {"theme": chosen if chosen in THEMES else "system"}
