"""Nothing but a plain HTTP client: urllib, cookies, and forms put together by hand."""

import json
import ssl
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


class HttpClient:
    """One person's client, with cookies and the CSRF token any script would send."""

    def __init__(self, address: str, tls: ssl.SSLContext | None = None) -> None:
        self.address = address
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies),
            NoRedirects,
            urllib.request.HTTPSHandler(context=tls),
        )

    def get(self, path: str, *, as_json: bool = True) -> Answer:
        return self._send(urllib.request.Request(self.address + path), as_json)

    def post(self, path: str, fields: dict[str, Any] | None = None) -> Answer:
        body = urlencode(fields or {}, doseq=True).encode()
        return self._send(urllib.request.Request(self.address + path, body, self._token()))

    def upload(
        self, files: list[tuple[str, bytes]], path: str = "/images/upload/", **fields: Any
    ) -> Answer:
        content_type, body = multipart(files, fields)
        headers = {**self._token(), "Content-Type": content_type}
        request = urllib.request.Request(self.address + path, body, headers)
        return self._send(request)

    def _token(self) -> dict[str, str]:
        names = ("csrftoken", "__Host-csrftoken")  # the latter over https
        if not any(cookie.name in names for cookie in self.cookies):
            self.get("/accounts/login/", as_json=False)
        (token,) = [cookie.value for cookie in self.cookies if cookie.name in names]
        return {"X-CSRFToken": token or "", "Referer": self.address}

    def head_of_post(self, path: str, *lines: str) -> bytes:
        """Return what stands before a body, for a connection that is handled by hand."""
        said = {**self._token(), "Cookie": self.cookie_header(), "Accept": "application/json"}
        begin = [f"POST {path} HTTP/1.1", f"Host: {self.address.partition('://')[2]}"]
        headers = [f"{name}: {value}" for name, value in said.items()]
        return "\r\n".join([*begin, *headers, *lines, "Connection: close", "", ""]).encode()

    def cookie_header(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)

    def _send(self, request: urllib.request.Request, as_json: bool = True) -> Answer:
        if as_json:
            request.add_header("Accept", "application/json")
        try:
            with self._opener.open(request, timeout=120) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    # ---- what a person does ------------------------------------------------------------------

    def register(self, username: str, display_name: str, password: str) -> str:
        """Register, make the recovery code and type its groups back; return the code."""
        form = {"username": username, "display_name": display_name}
        answer = self.post(
            "/accounts/register/", {**form, "password1": password, "password2": password}
        )
        assert answer.status == 201, answer.body
        made = self.post("/accounts/recovery-code/").json()
        groups, (first, second) = made["recovery_code"].split("-"), made["confirm"]
        typed = {"confirm_1": groups[first - 1], "confirm_2": groups[second - 1]}
        assert self.post("/accounts/recovery-code/", typed).status == 200
        return str(made["recovery_code"])


def multipart(files: list[tuple[str, bytes]], fields: dict[str, Any]) -> tuple[str, bytes]:
    """Return content type and body of a form with files (RFC 7578)."""
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            parts.append(_part(boundary, f'name="{name}"', str(one).encode()))
    for name, data in files:
        disposition = f'name="images"; filename="{name}"'
        parts.append(_part(boundary, disposition, data, "Content-Type: image/jpeg\r\n"))
    closing = f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", b"".join(parts) + closing


def _part(boundary: str, disposition: str, data: bytes, headers: str = "") -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{headers}\r\n"
    return head.encode() + data + b"\r\n"
