"""Certificates made by openssl, for the gateway and for the servers behind it."""

import datetime
import subprocess

KINDS = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}
REGISTER = """[ca]
default_ca = own
[own]
database = {register}
new_certs_dir = {folder}
default_md = sha256
rand_serial = yes
policy = any
[any]
commonName = supplied
"""


def make_certificate(folder, names, kind="ecdsa"):
    """The paths of the chain and of its key."""
    chain, key = folder / f"{names[0]}-{kind}.pem", folder / f"{names[0]}-{kind}.key"
    alternatives = ",".join(f"DNS:{name}" for name in names)
    subprocess.run(["openssl", "req", "-x509", "-newkey", *KINDS[kind], "-nodes", "-days", "2",
                    "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={alternatives}",
                    "-keyout", key, "-out", chain], check=True, capture_output=True)
    return chain, key


class Authority:
    """A CA of a test's own; `path` is its certificate, for those that trust it."""

    def __init__(self, folder, name="ca", by=None):
        self.folder = folder
        self.name = name
        if by is not None:
            self.path, self.key = by.issue([f"DNS:{name}"], subject=name,
                                           extensions="basicConstraints=critical,CA:TRUE\n")
            return
        self.path, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", *KINDS["ecdsa"], "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key,
                        "-out", self.path], check=True, capture_output=True)

    def list_revoked(self, chains, path, hours=24):
        """Its list of revoked certificates. With less than no hours it has expired."""
        register, config = self.folder / "list.register", self.folder / "list.conf"
        register.write_text("")
        config.write_text(REGISTER.format(register=register, folder=self.folder))
        signing = ["openssl", "ca", "-config", config, "-cert", self.path, "-keyfile", self.key]
        for chain in chains:
            subprocess.run([*signing, "-revoke", chain], check=True, capture_output=True)
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = (f"{now + datetime.timedelta(hours=distance):%y%m%d%H%M%SZ}"
                      for distance in (-48, hours))
        made = subprocess.run([*signing, "-gencrl", "-crl_lastupdate", begin, "-crl_nextupdate",
                               end], check=True, capture_output=True)
        path.write_bytes(made.stdout)

    def issue(self, names, days=2, subject="server", extensions=""):
        """The paths of a certificate for `names` ("DNS:a.test", "IP:127.0.0.1") and of its key.
        With less than no days it has expired."""
        stem = f"{self.name}-{names[0].replace(':', '-')}-{days}"
        chain, key = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        request, file = self.folder / f"{stem}.csr", self.folder / f"{stem}.ext"
        file.write_text(f"subjectAltName={','.join(names)}\n{extensions}")
        register, config = self.folder / f"{stem}.register", self.folder / f"{stem}.conf"
        register.write_text("")
        config.write_text(REGISTER.format(register=register, folder=self.folder))
        subprocess.run(["openssl", "req", "-newkey", *KINDS["ecdsa"], "-nodes", "-subj",
                        f"/CN={subject}", "-keyout", key, "-out", request],
                       check=True, capture_output=True)
        # Not "openssl x509 -req -days": since OpenSSL 3.5 it issues nothing that has expired.
        today = datetime.datetime.now(datetime.timezone.utc)
        begin, end = (f"{today + datetime.timedelta(distance):%y%m%d%H%M%SZ}"
                      for distance in (min(days, 0) - 1, days))
        subprocess.run(["openssl", "ca", "-batch", "-config", config, "-cert", self.path,
                        "-keyfile", self.key, "-in", request, "-extfile", file, "-startdate",
                        begin, "-enddate", end, "-notext", "-out", chain],
                       check=True, capture_output=True)
        return chain, key
