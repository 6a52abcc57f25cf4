"""Certificates made by openssl, for the gateway to serve from files."""

import subprocess

KINDS = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}


def make_certificate(folder, names, kind="ecdsa"):
    """The paths of the chain and of its key."""
    chain, key = folder / f"{names[0]}-{kind}.pem", folder / f"{names[0]}-{kind}.key"
    alternatives = ",".join(f"DNS:{name}" for name in names)
    subprocess.run(["openssl", "req", "-x509", "-newkey", *KINDS[kind], "-nodes", "-days", "2",
                    "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={alternatives}",
                    "-keyout", key, "-out", chain], check=True, capture_output=True)
    return chain, key
