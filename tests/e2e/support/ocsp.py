"""What a CA's responder says of certificates: by openssl, and by hand for other times than now."""

import datetime
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp


def respond(authority, chain, path):
    """Of one that it has issued: good, for a day."""
    subprocess.run(["openssl", "ocsp", "-index", chain.with_suffix(".register"), "-CA", authority.path,
                    "-rsigner", authority.path, "-rkey", authority.key, "-issuer", authority.path,
                    "-cert", chain, "-ndays", "1", "-noverify", "-respout", path],
                   check=True, capture_output=True)
    return path


def respond_until(authority, chain, path, seconds, status="GOOD"):
    """Good, from an hour ago until so many seconds from now."""
    certificate = x509.load_pem_x509_certificate(chain.read_bytes())
    issuer = x509.load_pem_x509_certificate(authority.path.read_bytes())
    key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    hour = datetime.timedelta(hours=1)
    kind = ocsp.OCSPCertStatus[status]
    made = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate, issuer=issuer, algorithm=hashes.SHA1(), cert_status=kind,
        this_update=now - hour, next_update=now + datetime.timedelta(seconds=seconds),
        revocation_time=now - hour if status == "REVOKED" else None, revocation_reason=None)
    made = made.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer).sign(key, hashes.SHA256())
    path.write_bytes(made.public_bytes(serialization.Encoding.DER))
    return path
