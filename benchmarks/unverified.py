"""What a plain program with the same job does: AES-CBC, the key under RSA for each person, and
nothing signed, verified, decoded or written down.

Same server, middleware and session as ours. Pictures and keys lie in DATA_DIR/unverified/, private
keys as they are. Everybody has the same pair, read from its file for each person.
"""

import uuid
from pathlib import Path

from Crypto.Cipher import AES, PKCS1_OAEP
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Random import get_random_bytes
from Crypto.Util.Padding import pad, unpad
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from accounts.web.decorators import signed_in

KEY_BYTES = 32


@signed_in
def upload(request: HttpRequest) -> JsonResponse:
    picture, key = request.FILES["images"].read(), get_random_bytes(KEY_BYTES)
    cipher = AES.new(key, AES.MODE_CBC)
    folder = _folder() / str(uuid.uuid4())
    folder.mkdir()
    (folder / "stored").write_bytes(cipher.iv + cipher.encrypt(pad(picture, AES.block_size)))
    for name in (request.user.get_username(), *request.POST.getlist("recipients")):
        public = RSA.import_key((_folder() / "public.pem").read_bytes())
        (folder / name).write_bytes(PKCS1_OAEP.new(public, SHA256).encrypt(key))
    return JsonResponse({"images": [{"id": folder.name}]}, status=201)


@signed_in
def original(request: HttpRequest, image_id: uuid.UUID) -> HttpResponse:
    folder = _folder() / str(image_id)
    pair = RSA.import_key((_folder() / "private.pem").read_bytes())
    wrapped = (folder / request.user.get_username()).read_bytes()
    stored = (folder / "stored").read_bytes()
    key = PKCS1_OAEP.new(pair, SHA256).decrypt(wrapped)
    cipher = AES.new(key, AES.MODE_CBC, stored[: AES.block_size])
    picture = unpad(cipher.decrypt(stored[AES.block_size :]), AES.block_size)
    return HttpResponse(picture, content_type="image/jpeg")


def _folder() -> Path:
    return settings.DATA_DIR / "unverified"


urlpatterns = [
    path("unverified/upload/", upload),
    path("unverified/<uuid:image_id>/original", original),
]
