from django.urls import path

from accounts.views import people, recovering, registering, security, signing_in

app_name = "accounts"

urlpatterns = [
    path("register/", registering.register, name="register"),
    path("invite/<str:token>/", registering.invite, name="invite"),
    path("login/", signing_in.sign_in, name="login"),
    path("logout/", signing_in.sign_out, name="logout"),
    path("unlock/", signing_in.unlock, name="unlock"),
    path("lock/", signing_in.lock, name="lock"),
    path("recover/", recovering.recover, name="recover"),
    path("recovery-code/", recovering.recovery_code, name="recovery-code"),
    path("password/", security.password, name="password"),
    path("contacts/anew/", people.contacts_anew, name="contacts-anew"),
    path("security/", security.security, name="security"),
]
