from django.urls import path

from accounts.views import (
    first_keys,
    locked_keys,
    naming,
    new_start,
    people,
    recovering,
    registering,
    replacing,
    resetting,
    security,
    signing_in,
)

app_name = "accounts"

urlpatterns = [
    path("register/", registering.register, name="register"),
    path("invite/<str:token>/", registering.invite, name="invite"),
    path("login/", signing_in.sign_in, name="login"),
    path("logout/", signing_in.sign_out, name="logout"),
    path("unlock/", signing_in.unlock, name="unlock"),
    path("first-keys/", first_keys.first_keys, name="first-keys"),
    path("locked-keys/", locked_keys.locked_keys, name="locked-keys"),
    path("earlier-keys/", locked_keys.earlier_keys, name="earlier-keys"),
    path("new-start/", new_start.new_start, name="new-start"),
    path("lock/", signing_in.lock, name="lock"),
    path("reset/", resetting.ask_for_reset, name="ask-for-reset"),
    path("reset/<uuid:person_id>/<str:token>/", resetting.reset, name="reset"),
    path("recover/", recovering.recover, name="recover"),
    path("recovery-code/", recovering.recovery_code, name="recovery-code"),
    path("recovery-code/test/", recovering.test_code, name="test-code"),
    path("replace-keys/", replacing.replace_keys, name="replace-keys"),
    path("password/", security.password, name="password"),
    path("name/", naming.name, name="name"),
    path("contacts/anew/", people.contacts_anew, name="contacts-anew"),
    path("security/", security.security, name="security"),
]
