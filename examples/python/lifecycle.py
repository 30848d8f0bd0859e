"""The configuration; componentize-py looks for this class in a module of this name."""

import base64
import json

from wit_world import exports
from wit_world.imports.crypto import Algorithm, Verifier

SCHEMA = {
    "type": "object",
    "properties": {
        "secret": {
            "type": "string",
            "description": "What tokens are signed with.",
            "x-encrypted": True,
        },
        "header": {
            "type": "string",
            "default": "x-user",
            "description": "The header that goes upstream.",
        },
    },
    "required": ["secret"],
}


class Refusal(Exception):
    """What is wrong with a token."""


class Plugin(exports.lifecycle.Plugin):
    """One configuration, made once in each instance."""

    def __init__(self, header, verifier):
        self.header = header
        self.verifier = verifier

    @classmethod
    def configure(cls, config):
        config = json.loads(config)
        verifier = Verifier.secret(Algorithm.HS256, config["secret"].encode())
        return cls(config["header"], verifier)

    def user(self, request):
        """The user name in the request's token."""
        scheme, _, token = (request.header("authorization") or b"").partition(b" ")
        if scheme.lower() != b"bearer" or not token:
            raise Refusal("no token")
        try:
            head, payload, signature = token.split(b".")
            algorithm = json.loads(decoded(head))["alg"]
            signature = decoded(signature)
        except (ValueError, KeyError, TypeError):
            raise Refusal("not a token of this kind") from None
        if algorithm != "HS256":
            raise Refusal("not a token of this kind")
        if not self.verifier.verify(head + b"." + payload, signature):
            raise Refusal("bad signature")
        claims = json.loads(decoded(payload))
        # When the request began: the same for the whole request.
        if claims.get("exp", 0) * 1000 <= request.started():
            raise Refusal("expired")
        return str(claims.get("username", ""))


def decoded(word):
    """What URL-safe Base64 without padding stands for."""
    return base64.urlsafe_b64decode(word + b"=" * (-len(word) % 4))
