"""JSON Web Tokens of any kind, also of those no library would make."""

import base64
import hashlib
import hmac
import json
from contextlib import contextmanager
from datetime import datetime, timezone
from unittest import mock

import jwt.api_jwt

DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def part(value):
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims, secret, algorithm="HS256", header=None, digest=None):
    """`header` may claim another algorithm than `digest`, by which it is signed; None of both: an unsigned token."""
    signed = part({"alg": algorithm, "typ": "JWT"} | (header or {})) + "." + part(claims)
    digest = digest or DIGESTS.get(algorithm)
    signature = hmac.new(secret.encode(), signed.encode(), digest).digest() if digest else b""
    return f"{signed}.{part(signature) if signature else ''}"


@contextmanager
def library_clock(now):
    """Lets the library that reads tokens believe it is `now`."""

    class Then(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(now, tz=tz or timezone.utc)

    with mock.patch.object(jwt.api_jwt, "datetime", Then):
        yield


def sha256(data):
    return hashlib.sha256(data.encode()).hexdigest()
