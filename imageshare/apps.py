from django.apps import AppConfig


class ImageShareConfig(AppConfig):
    name = "imageshare"

    def ready(self) -> None:
        from imageshare import checks  # noqa: F401  (registers them)
