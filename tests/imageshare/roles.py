"""Who gets which answer at which address: a row for each address of the URLconf.

The columns, in this order: a visitor who is not signed in, a stranger, staff, the reader with
locked keys, a former reader, the reader, the owner; of an album likewise. Each asks for JSON; a
post carries the form of test_roles.py, or nothing.
"""

ROLES = ("visitor", "stranger", "staff", "locked", "former", "reader", "owner")
Row = tuple[int, ...]

NEVER: Row = (405,) * 7
ALL: Row = (200,) * 7
EVERYBODYS_FORM: Row = (422,) * 7
ELSEWHERE: Row = (302,) * 7
ABSENT: Row = (404,) * 7
SIGNED_IN: Row = (401, 200, 200, 200, 200, 200, 200)
SIGNED_IN_FORM: Row = (401, 422, 422, 422, 422, 422, 422)
UNLOCKED: Row = (401, 200, 200, 401, 200, 200, 200)
UNLOCKED_FORM: Row = (401, 422, 422, 401, 422, 422, 422)
NOT_NOW: Row = (401, 409, 409, 409, 409, 409, 409)
OPENS: Row = (401, 404, 404, 401, 410, 200, 200)
OWNS: Row = (401, 404, 404, 401, 410, 403, 200)
OWNS_FORM: Row = (401, 404, 404, 401, 410, 403, 422)

# What each address answers to GET and to POST.
ROWS: dict[str, tuple[Row, Row]] = {
    "": ((200, 302, 302, 302, 302, 302, 302), NEVER),
    "about/protection/": (ALL, NEVER),
    "components/": (ALL, NEVER),
    "preferences/theme/": (NEVER, ELSEWHERE),
    "preferences/language/": (NEVER, ELSEWHERE),
    "manifest.webmanifest": (ALL, NEVER),
    "service-worker.js": (ALL, NEVER),
    "offline/": (ALL, NEVER),
    "healthz": (ALL, NEVER),
    "readyz": (ALL, NEVER),
    ".well-known/change-password": (ELSEWHERE, ELSEWHERE),
    ".well-known/security.txt": (ABSENT, NEVER),
    "accounts/register/": (ALL, EVERYBODYS_FORM),
    "accounts/invite/<str:token>/": (ABSENT, ABSENT),
    "accounts/login/": (ALL, EVERYBODYS_FORM),
    "accounts/unlock/": (SIGNED_IN, SIGNED_IN_FORM),
    "accounts/first-keys/": (NOT_NOW, NOT_NOW),
    "accounts/locked-keys/": (
        (401, 302, 302, 302, 302, 302, 302),
        (401, 302, 302, 302, 302, 302, 302),
    ),
    "accounts/earlier-keys/": (UNLOCKED, UNLOCKED_FORM),
    "accounts/new-start/": (NOT_NOW, NOT_NOW),
    "accounts/reset/": (ALL, EVERYBODYS_FORM),
    "accounts/reset/<uuid:person_id>/<str:token>/": (ABSENT, ABSENT),
    "accounts/recover/": (ALL, EVERYBODYS_FORM),
    # Staff have no code yet, so a post makes one.
    "accounts/recovery-code/": (UNLOCKED, (401, 422, 200, 401, 422, 422, 422)),
    "accounts/recovery-code/test/": (SIGNED_IN, SIGNED_IN_FORM),
    "accounts/replace-keys/": (ALL, EVERYBODYS_FORM),
    "accounts/password/": (SIGNED_IN, SIGNED_IN_FORM),
    "accounts/name/": (UNLOCKED, UNLOCKED_FORM),
    "accounts/contacts/anew/": (NEVER, UNLOCKED),
    "accounts/security/": (SIGNED_IN, NEVER),
    # The reader asks about themself: nobody compares their own key.
    "people/<username:username>/": (SIGNED_IN, (401, 422, 422, 401, 422, 404, 422)),
    "people/": (SIGNED_IN, SIGNED_IN_FORM),
    "images/": (SIGNED_IN, NEVER),
    "images/mine/": (SIGNED_IN, NEVER),
    # A team of the owner's: the reader is in it, the former reader was taken out.
    "teams/": (UNLOCKED, NEVER),
    "teams/new/": (UNLOCKED, UNLOCKED_FORM),
    "teams/<uuid:team_id>/": (OPENS, NEVER),
    "teams/<uuid:team_id>/edit/": (NEVER, OWNS_FORM),
    "teams/<uuid:team_id>/share/": (NEVER, OWNS_FORM),
    "teams/<uuid:team_id>/revoke/": (NEVER, OWNS_FORM),
    # Leaving needs no key, and the reader is the same person; its owner deletes a team instead.
    "teams/<uuid:team_id>/leave/": (NEVER, (401, 404, 404, 200, 410, 410, 403)),
    "teams/<uuid:team_id>/delete/": (NEVER, (401, 404, 404, 401, 410, 410, 200)),
    "images/upload/": (UNLOCKED, UNLOCKED_FORM),
    "images/upload/shared/": (SIGNED_IN, ELSEWHERE),
    "images/upload/check/": (NEVER, UNLOCKED),
    # Of an upload that is nobody's.
    "images/upload/<uuid:upload_id>/": ((401, 404, 404, 401, 404, 404, 404), NEVER),
    "images/waiting/": (SIGNED_IN, (401, 404, 404, 401, 404, 404, 404)),
    "images/search/": (UNLOCKED, UNLOCKED_FORM),
    "images/relock/": (SIGNED_IN, UNLOCKED),
    "images/selected/share/": (NEVER, OWNS_FORM),
    "images/selected/revoke/": (NEVER, OWNS),
    "images/selected/delete/": (NEVER, OWNS),
    # A ZIP leaves out what its reader cannot open; of nothing there is none.
    "images/zip/": (NEVER, (401, 409, 409, 401, 409, 200, 200)),
    "images/<uuid:image_id>/": (OPENS, NEVER),
    "images/<uuid:image_id>/original": (OPENS, NEVER),
    "images/<uuid:image_id>/preview": (OPENS, NEVER),
    "images/<uuid:image_id>/thumbnail": (OPENS, NEVER),
    "images/thumbnails/": (NEVER, UNLOCKED_FORM),
    "images/<uuid:image_id>/share/": (NEVER, OWNS_FORM),
    "images/<uuid:image_id>/revoke/": (NEVER, OWNS_FORM),
    "images/<uuid:image_id>/keep/": (NEVER, OWNS),
    "images/<uuid:image_id>/edit/": (OWNS, OWNS_FORM),
    "images/<uuid:image_id>/acknowledge/": (NEVER, (401, 404, 404, 401, 410, 200, 403)),
    "images/<uuid:image_id>/activity/": ((401, 404, 404, 403, 410, 403, 200), NEVER),
    "invitations/": (UNLOCKED, UNLOCKED_FORM),
    "invitations/<uuid:invitation_id>/take-back/": (NEVER, (401, 404, 404, 401, 404, 404, 404)),
    "invitations/<uuid:invitation_id>/agree/": (NEVER, (401, 404, 404, 401, 404, 404, 404)),
    "invitations/<uuid:invitation_id>/refuse/": (NEVER, (401, 404, 404, 401, 404, 404, 404)),
    "invitations/<str:token>/": (ABSENT, ABSENT),
    "invitations/<str:token>/claim/": (NEVER, (401, 404, 404, 404, 404, 404, 404)),
    "successors/": (UNLOCKED, UNLOCKED_FORM),
    "successors/remove/": (NEVER, UNLOCKED_FORM),
    "successors/take-over/": (NEVER, (401, 404, 404, 401, 404, 404, 404)),
    "images/<uuid:image_id>/take-over/": (NEVER, (401, 404, 404, 401, 404, 404, 404)),
    "albums/": (SIGNED_IN, NEVER),
    "albums/new/": (NEVER, UNLOCKED_FORM),
    "albums/<uuid:album_id>/": (OPENS, NEVER),
    "albums/<uuid:album_id>/edit/": (NEVER, OWNS_FORM),
    "albums/<uuid:album_id>/share/": (NEVER, OWNS_FORM),
    "albums/<uuid:album_id>/revoke/": (NEVER, OWNS_FORM),
    "albums/<uuid:album_id>/successors/": (OWNS, OWNS_FORM),
    "albums/<uuid:album_id>/successors/remove/": (NEVER, OWNS_FORM),
    "albums/<uuid:album_id>/zip/": (NEVER, OPENS),
    "albums/<uuid:album_id>/add/": (NEVER, OWNS),
    "albums/<uuid:album_id>/remove/": (NEVER, OWNS),
    "images/selected/album/": (NEVER, OWNS),
    "activity/": (SIGNED_IN, NEVER),
    "activity/mails/": (SIGNED_IN, SIGNED_IN_FORM),
    "activity/mine/": (SIGNED_IN, NEVER),
    # Last, since afterwards the album and the image are gone.
    "albums/<uuid:album_id>/delete/": (NEVER, OWNS),
    "images/<uuid:image_id>/delete/": (NEVER, OWNS),
}
# What ends the session of whoever asks: others try these.
ENDS_SESSIONS = {"accounts/logout/", "accounts/lock/"}
