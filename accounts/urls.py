from django.urls import path

from accounts import views

app_name = "accounts"

urlpatterns = [
    path("register/", views.register, name="register"),
    path("invite/<str:token>/", views.invite, name="invite"),
    path("login/", views.sign_in, name="login"),
    path("logout/", views.sign_out, name="logout"),
    path("unlock/", views.unlock, name="unlock"),
    path("lock/", views.lock, name="lock"),
    path("recover/", views.recover, name="recover"),
    path("recovery-code/", views.recovery_code, name="recovery-code"),
    path("password/", views.password, name="password"),
    path("security/", views.security, name="security"),
]
