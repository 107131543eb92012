from django.urls import path

from gallery import views, waiting_views

app_name = "gallery"

urlpatterns = [
    path("images/", views.shared_with_me, name="shared-with-me"),
    path("images/mine/", views.mine, name="mine"),
    path("images/upload/", views.upload, name="upload"),
    path("images/waiting/", waiting_views.waiting, name="waiting"),
    path("images/<uuid:image_id>/", views.image, name="image"),
    path("images/<uuid:image_id>/original", views.original, name="original"),
    path("images/<uuid:image_id>/preview", views.preview, name="preview"),
    path("images/<uuid:image_id>/thumbnail", views.thumbnail, name="thumbnail"),
    path("images/<uuid:image_id>/share/", views.share, name="share"),
    path("images/<uuid:image_id>/revoke/", views.revoke, name="revoke"),
    path("images/<uuid:image_id>/delete/", views.delete, name="delete"),
    path("activity/", views.activity, name="activity"),
]
