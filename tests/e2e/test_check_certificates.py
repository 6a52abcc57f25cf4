"""gateway -t refuses the certificates, keys and authorities that a start refuses, in the same words, each
with its place and a cure."""

import base64
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from support.certificates import Authority, make_certificate
from support.checking import both, run, with_certificates

KINDS = "ECDSA with P-256, P-384 or P-521, RSA of 2048 to 4096 bits, and Ed25519 will do"
FROM_FOLDER = "its path is taken from the folder of the configuration file"


# Files. Each maker writes them into a folder, and gives the value of `certificates`.

def spoil(file):
    """Its DER begins with nonsense."""
    lines = file.read_text().splitlines()
    lines[1] = "A" * len(lines[1])
    file.write_text("\n".join(lines) + "\n")


def to_der(file):
    text = re.sub("-----.*?-----", "", file.read_text())
    file.write_bytes(base64.b64decode(text))


def another_certificates_key(folder):
    chain, _ = make_certificate(folder, ["one.test"])
    _, key = make_certificate(folder, ["two.test"])
    return both(chain, key)


def key_of_another_kind(folder):
    chain, _ = make_certificate(folder, ["one.test"])
    _, key = make_certificate(folder, ["one.test"], "rsa")
    return both(chain, key)


def changed(which, change):
    def make(folder):
        pair = make_certificate(folder, ["one.test"])
        change(pair[which])
        return both(*pair)
    return make


def cut_off(file):
    text = file.read_text()
    file.write_text(text[:len(text) // 2])


def encrypt(file):
    text = subprocess.run(["openssl", "pkey", "-in", file, "-aes128", "-passout", "pass:x"],
                          check=True, capture_output=True).stdout
    file.write_bytes(text)


def to_pkcs12(folder):
    chain, key = make_certificate(folder, ["one.test"])
    subprocess.run(["openssl", "pkcs12", "-export", "-in", chain, "-inkey", key, "-passout",
                    "pass:", "-out", folder / "one.p12"], check=True, capture_output=True)
    return '["one.p12"]'


def issuer_first(folder):
    authority = Authority(folder)
    chain, key = authority.issue(["DNS:one.test"])
    (folder / "chain.pem").write_text(authority.path.read_text() + chain.read_text())
    key.rename(folder / "chain.key")
    return both("chain.pem", "chain.key")


def own_certificate(folder, *options):
    """Of another kind than most: what `openssl req` makes with these options."""
    chain, key = folder / "one.test-ecdsa.pem", folder / "one.test-ecdsa.key"
    subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=one.test",
                    "-keyout", key, "-out", chain, *options], check=True, capture_output=True)
    return both(chain, key)


def compress(file):
    subprocess.run(["openssl", "ec", "-in", file, "-conv_form", "compressed", "-out", file],
                   check=True, capture_output=True)


def another_key_first(folder):
    chain, key = make_certificate(folder, ["one.test"])
    _, other = make_certificate(folder, ["two.test"])
    key.write_text(other.read_text() + key.read_text())
    return both(chain, key)


def too_large(file):
    file.write_text(file.read_text() + "\n" * (1 << 20))


def special(make):
    def replace(file):
        file.unlink()
        make(file)
    return replace


def open_socket(file):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(file))


CHAIN = "3:27: error: certificate file 'one.test-ecdsa.pem' "
KEY = "3:55: error: certificate file 'one.test-ecdsa.key' "
BAD_FILES = {
    "another-certificates-key": (another_certificates_key,
        "3:55: error: certificate file 'two.test-ecdsa.key' holds a key that does not belong to "
        "the certificate in 'one.test-ecdsa.pem', which is for one.test: name the key that it was "
        "made with"),
    "key-of-another-kind": (key_of_another_kind,
        "3:55: error: certificate file 'one.test-rsa.key' holds a key that does not belong to the "
        "certificate in 'one.test-ecdsa.pem', which is for one.test: name the key that it was made "
        "with"),
    "issuer-first": (issuer_first,
        "3:46: error: certificate file 'chain.key' holds a key that does not belong to the "
        "certificate in 'chain.pem', which is for ca: it belongs to number 2 there, and the "
        "server's own has to stand first"),
    "damaged-certificate": (changed(0, spoil),
        CHAIN + "holds a certificate that is damaged (ASN parsing error, invalid input): copy it "
        "anew"),
    "damaged-key": (changed(1, spoil),
        KEY + f"holds a private key that is damaged, or of a kind that is not supported: {KINDS}"),
    "rsa-pss": (lambda folder: own_certificate(folder, "-newkey", "rsa-pss", "-pkeyopt",
                                               "rsa_keygen_bits:2048"),
        CHAIN + "holds a certificate that is of a kind that is not supported (a key for RSA-PSS "
        f"alone): {KINDS}"),
    "critical-extension": (lambda folder: own_certificate(folder, "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-addext", "1.2.3.4=critical,ASN1:NULL"),
        CHAIN + "holds a certificate that has a critical extension that is not supported: have one "
        "issued without it"),
    "compressed-key": (changed(1, compress),
        KEY + "holds a private key with its public point compressed: 'openssl ec -in FILE "
        "-conv_form uncompressed' converts it"),
    "another-key-first": (another_key_first,
        KEY + "holds a key that does not belong to the certificate in 'one.test-ecdsa.pem', which "
        "is for one.test: a later one in it does, and has to stand first"),
    "certificate-cut-off": (changed(0, cut_off),
        CHAIN + "is cut off: a certificate in it has no END line; copy it anew"),
    "key-cut-off": (changed(1, cut_off),
        KEY + "is cut off: a private key in it has no END line; copy it anew"),
    "encrypted-key": (changed(1, encrypt),
        KEY + "holds a key that is encrypted; store it decrypted, readable by the gateway alone: "
        "'openssl pkey -in FILE' decrypts it"),
    "certificate-in-binary": (changed(0, to_der),
        CHAIN + "is in binary form (DER), not PEM: 'openssl x509 -inform der -in FILE' converts it"),
    "key-in-binary": (changed(1, to_der),
        KEY + "is in binary form (DER), not PEM: 'openssl pkey -inform der -in FILE' converts it"),
    "pkcs12": (to_pkcs12,
        "3:17: error: certificate file 'one.p12' is PKCS #12, not PEM: 'openssl pkcs12 -nodes -in "
        "FILE' converts it"),
    "empty-certificate": (changed(0, lambda file: file.write_text("")),
        CHAIN + "is empty: write it anew, in PEM form"),
    "empty-key": (changed(1, lambda file: file.write_text("")),
        KEY + "is empty: write it anew, in PEM form"),
    "something-else": (changed(0, lambda file: file.write_text("hello\n")),
        CHAIN + "holds no certificate in PEM form; name the file that has the certificate"),
    "two-certificates": (lambda folder: both(*[make_certificate(folder, ["one.test"])[0]] * 2),
        "3:55: error: certificate file 'one.test-ecdsa.pem' holds no private key, only "
        "CERTIFICATE; put the key into it, or name another file with { chain = \"...\", key = "
        "\"...\" }"),
    "folder": (changed(0, special(Path.mkdir)), CHAIN + "is a folder; name a PEM file"),
    "fifo": (changed(0, special(os.mkfifo)),
        CHAIN + "is a FIFO that nobody writes to; name a PEM file"),
    "socket": (changed(1, special(open_socket)),
        KEY + "is a socket, or a device that is not there; name a PEM file"),
    "too-large": (changed(0, too_large), CHAIN + "is larger than 1MiB; name a PEM file"),
    "absent": (changed(1, Path.unlink),
        KEY + f"does not exist; {FROM_FOLDER} (certificates = \"self-signed\" makes one for "
        "development)"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_certificate_is_told_with_its_place_and_a_cure(refused, tmp_path, kind):
    make, said = BAD_FILES[kind]
    assert refused(with_certificates(make(tmp_path))) == f"gateway.conf:{said}\n"


def test_a_file_of_another_user_is_told(tmp_path):
    chain, key = make_certificate(tmp_path, ["one.test"])
    key.chmod(0)
    if os.access(key, os.R_OK):
        pytest.skip("this user may read everything")
    file = tmp_path / "gateway.conf"
    file.write_text(with_certificates(both(chain, key)))
    for check in (["-t"], []):
        done = run(*check, "-c", file)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"{file}:3:55: error: certificate file '{key}' cannot be read: Permission denied; let "
            "the user that runs the gateway read it\n")


def test_all_bad_files_are_told_at_once(refused, tmp_path):
    chain, key = make_certificate(tmp_path, ["one.test"])
    spoil(chain)
    encrypt(key)
    (tmp_path / "ca.pem").write_text("")
    said = refused(with_certificates(both(chain, key)) +
                   '[pool.app]\nservers = ["127.0.0.1:1"]\n[pool.app.tls]\nca = "ca.pem"\n')
    assert [line.split(" ")[0] for line in said.splitlines()] == [
        "gateway.conf:3:27:", "gateway.conf:3:55:", "gateway.conf:10:6:"]


# Authorities.

def leaf_as_ca(folder):
    Authority(folder).issue(["DNS:one.test"])[0].rename(folder / "the.pem")


def old_ca(folder):
    authority = Authority(folder)
    authority.issue(["DNS:old.test"], days=-1)[0].rename(folder / "the.pem")


def ca_on_another_curve(folder):
    own_certificate(folder, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1")
    (folder / "one.test-ecdsa.pem").rename(folder / "the.pem")


def changed_ca(change):
    def make(folder):
        Authority(folder, "the")
        change(folder / "the.pem")
    return make


BAD_AUTHORITIES = {
    "damaged": (changed_ca(spoil),
                "holds a certificate that is damaged (ASN parsing error, invalid input): copy it "
                "anew"),
    "cut-off": (changed_ca(cut_off),
                "is cut off: a certificate in it has no END line; copy it anew"),
    "in-binary": (changed_ca(to_der), "is in binary form (DER), not PEM: 'openssl x509 -inform der "
                  "-in FILE' converts it"),
    "on-another-curve": (ca_on_another_curve, "holds a certificate that is of a kind that is not "
                         f"supported (another curve, or a compressed point): {KINDS}"),
    "a-servers-own": (leaf_as_ca, "holds a certificate that is no CA's: name that of the CA that "
                      "signed it"),
    "empty": (changed_ca(lambda file: file.write_text("")), "is empty: write it anew, in PEM form"),
    "folder": (changed_ca(special(Path.mkdir)), "is a folder; name a PEM file"),
    "fifo": (changed_ca(special(os.mkfifo)),
             "is a FIFO that nobody writes to; name a PEM file"),
    "absent": (changed_ca(Path.unlink), f"does not exist; {FROM_FOLDER}"),
}


@pytest.mark.parametrize("kind", BAD_AUTHORITIES)
def test_a_bad_authority_is_told_with_its_place_and_a_cure(refused, tmp_path, kind):
    make, said = BAD_AUTHORITIES[kind]
    make(tmp_path)
    assert refused('[[listen]]\naddress = "127.0.0.1:18080"\n[pool.app]\n'
                   'servers = ["127.0.0.1:1"]\n[pool.app.tls]\nca = "the.pem"\n'
                   '[[route]]\npool = "app"\n') == f"gateway.conf:6:6: error: CA file 'the.pem' {said}\n"
