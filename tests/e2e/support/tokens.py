"""Tokens by PyJWT, an implementation of its own, and such as it would not make."""

import base64
import hashlib
import hmac
import json
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = "a secret of thirty-two bytes or more"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Signer:
    """A private key, and what the gateway may know of it."""

    def __init__(self, algorithm):
        self.algorithm = algorithm
        make = {"RS256": lambda: rsa.generate_private_key(65537, 2048),
                "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
                "EdDSA": ed25519.Ed25519PrivateKey.generate}[algorithm]
        self.key = make()

    def public_pem(self):
        return self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def jwk(self, kid):
        public = self.key.public_key()
        jwk = {"kid": kid, "use": "sig"}
        if self.algorithm == "RS256":
            numbers = public.public_numbers()
            return {**jwk, "kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        if self.algorithm == "ES256":
            numbers = public.public_numbers()
            return {**jwk, "kty": "EC", "crv": "P-256", "x": number(numbers.x, 32),
                    "y": number(numbers.y, 32)}
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {**jwk, "kty": "OKP", "crv": "Ed25519", "x": b64(raw)}

    def sign(self, claims, **headers):
        return jwt.encode(claims, self.key, self.algorithm, headers or None)


def claims(seconds=600, **more):
    return {"exp": int(time.time()) + seconds, "sub": "alice", **more}


def sign(payload=None, secret=SECRET, **headers):
    """With a secret."""
    return jwt.encode(claims() if payload is None else payload, secret, "HS256", headers or None)


def forge(header, payload, secret=SECRET):
    """A true signature under whatever header and payload: bytes, or what JSON writes."""
    parts = [one if isinstance(one, bytes) else json.dumps(one).encode()
             for one in (header, payload)]
    text = ".".join(map(b64, parts))
    key = secret if isinstance(secret, bytes) else secret.encode()
    return f"{text}.{b64(hmac.new(key, text.encode(), hashlib.sha256).digest())}"
