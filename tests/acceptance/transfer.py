#!/usr/bin/python3
"""1 GiB through https each way: whole, and in bounded memory.

/bytes down and /sink up, SHA-256 equal; VmHWM, reset after one warm-up transfer each way, rises by
less than 4 MiB.
"""

import hashlib
import json
import subprocess
import tempfile
import time
import urllib.request

from common import arguments, finish, kib, reset_peak, site, verdict

RISE_MAX_KIB = 4096
CURL = ["curl", "--silent", "--show-error", "--insecure", "--noproxy", "*"]


def download(url, target):
    """Streams the body into `target`; gives its SHA-256 and the seconds it took."""
    digest, begun = hashlib.sha256(), time.monotonic()
    with subprocess.Popen([*CURL, url], stdout=subprocess.PIPE) as curl:
        while piece := curl.stdout.read(1 << 20):
            digest.update(piece)
            target.write(piece)
    assert curl.returncode == 0, f"curl ended with {curl.returncode}"
    return digest.hexdigest(), time.monotonic() - begun


def upload(url, file):
    begun = time.monotonic()
    done = subprocess.run([*CURL, "-H", "Expect:", "-T", file, url], stdout=subprocess.PIPE,
                          check=True)
    return json.loads(done.stdout), time.monotonic() - begun


def main():
    options = arguments(__doc__, size=(1 << 30, "bytes each way"))
    with site(options) as (gateway, echo), tempfile.NamedTemporaryFile() as file:
        base = f"https://127.0.0.1:{gateway.https_port}"
        path = f"/bytes?n={options.size}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        wanted = opener.open(f"http://127.0.0.1:{echo.port}{path}&sha256=1").read().decode().strip()

        with open("/dev/null", "wb") as nowhere:
            download(base + path, nowhere)
        with open(file.name, "wb") as local:
            digest, seconds = download(f"http://127.0.0.1:{echo.port}{path}", local)
        verdict(digest == wanted, "the backend's own bytes, without the gateway")
        upload(base + "/sink", file.name)
        reset_peak(gateway)
        before = kib(gateway, "VmHWM")

        with open("/dev/null", "wb") as nowhere:
            digest, seconds = download(base + path, nowhere)
        verdict(digest == wanted, f"down: {options.size} bytes in {seconds:.1f} s, "
                                  f"{options.size / seconds / 2**20:.0f} MiB/s, SHA-256 {digest}")
        answer, seconds = upload(base + "/sink", file.name)
        verdict(answer == {"bytes": options.size, "sha256": wanted},
                f"up: {answer['bytes']} bytes in {seconds:.1f} s, "
                f"{options.size / seconds / 2**20:.0f} MiB/s, SHA-256 {answer['sha256']}")
        rise = kib(gateway, "VmHWM") - before
        verdict(rise < RISE_MAX_KIB, f"VmHWM {before} KiB, rose by {rise} KiB (below "
                                     f"{RISE_MAX_KIB})")
    finish()


if __name__ == "__main__":
    main()
