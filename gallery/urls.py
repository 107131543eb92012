from django.urls import path

from gallery.views import (
    image,
    invitations,
    invited,
    lists,
    notices,
    own_activity,
    relocking,
    selecting,
    sharing,
    uploading,
    waiting,
    zipping,
)

app_name = "gallery"

urlpatterns = [
    path("images/", lists.shared_with_me, name="shared-with-me"),
    path("images/mine/", lists.mine, name="mine"),
    path("images/upload/", uploading.upload, name="upload"),
    path("images/upload/check/", uploading.check, name="check-upload"),
    path("images/waiting/", waiting.waiting, name="waiting"),
    path("images/relock/", relocking.relock, name="relock"),
    path("images/selected/share/", selecting.share, name="share-selected"),
    path("images/selected/revoke/", selecting.revoke, name="revoke-selected"),
    path("images/selected/delete/", selecting.delete, name="delete-selected"),
    path("images/zip/", zipping.zip_of_selection, name="zip"),
    path("images/<uuid:image_id>/", image.image, name="image"),
    path("images/<uuid:image_id>/original", image.original, name="original"),
    path("images/<uuid:image_id>/preview", image.preview, name="preview"),
    path("images/<uuid:image_id>/thumbnail", image.thumbnail, name="thumbnail"),
    path("images/<uuid:image_id>/share/", sharing.share, name="share"),
    path("images/<uuid:image_id>/revoke/", sharing.revoke, name="revoke"),
    path("images/<uuid:image_id>/delete/", sharing.delete, name="delete"),
    path("invitations/", invitations.invitations, name="invitations"),
    path("invitations/<uuid:invitation_id>/take-back/", invitations.take_back, name="take-back"),
    path("invitations/<uuid:invitation_id>/agree/", invitations.agree, name="agree"),
    path("invitations/<uuid:invitation_id>/refuse/", invitations.refuse, name="refuse"),
    path("invitations/<str:token>/", invited.invitation, name="invitation"),
    path("invitations/<str:token>/claim/", invited.claim, name="claim"),
    path("activity/", notices.activity, name="activity"),
    path("activity/mine/", own_activity.own_activity, name="own-activity"),
]
