from importlib import import_module

from django.db import migrations

# Its name begins with a digit, so no import statement can say it.
squashed = import_module("audit.migrations.0001_squashed_0003_questions_about_one_thing")


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_trail")]

    operations = [migrations.RunPython(squashed.install, squashed.remove)]
