#!/usr/bin/python3
"""One of two servers is killed and started again, several times, under 100 kept connections of load:
GETs, which may be sent again, and POSTs, which may not. Needs wrk."""

import re
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from common import arguments, finish, raise_descriptor_limit, verdict
from support.gateway import Config, Echo, Gateway, Variant
from support.ports import free_port

POST = 'wrk.method = "POST"\nwrk.body = string.rep("x", 100)\n'


def under_load(gateway, options, folder, method, restart):
    """What wrk says, and how the requests of that time ended in the log."""
    script = folder / "post.lua"
    script.write_text(POST)
    path = "/bytes?n=128" if method == "GET" else "/sink"
    mark = gateway.log_mark()
    command = ["wrk", "-t", "1", "-c", str(options.connections), "-d", f"{options.seconds}s",
               *(["-s", str(script)] if method == "POST" else []),
               f"http://127.0.0.1:{gateway.http_port}{path}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
        for _ in range(options.restarts):
            time.sleep(options.seconds / (options.restarts + 1))
            restart()
        output = wrk.communicate()[0]
    total = int(re.search(r"(\d+) requests in", output)[1])
    # The log is written every 50 ms; wrk's last requests are in it when it does not grow any more.
    size = -1
    while size != gateway.log_mark():
        size = gateway.log_mark()
        time.sleep(0.2)
    found = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    endings = Counter(re.findall(r"status=(?:5\d\d) .*?end=([\w-]+)", gateway.log_since(mark)))
    resent = sum(int(one) for one in re.findall(r"resends=(\d+)", gateway.log_since(mark)))
    return total, int(found[1]) if found else 0, resent, dict(endings)


def main():
    options = arguments(__doc__, connections=(100, "to open"), seconds=(8, "of each run"),
                        restarts=(4, "in each run"))
    raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="gateway-restart-") as name:
        folder = Path(name)
        ports = [free_port(), free_port()]
        servers = [Echo(folder, f"echo-{port}", port=port) for port in ports]

        def restart():
            """The first server: dead for a moment."""
            servers[0].kill()
            time.sleep(0.2)
            servers[0] = Echo(folder, f"echo-{ports[0]}", port=ports[0])

        config = Config({"two": ports}, [{"pool": "two"}], level="info", log_buffer="64MiB")
        gateway = Gateway(folder, config, Variant(options.shards, options.receive))
        try:
            total, failed, resent, endings = under_load(gateway, options, folder, "GET", restart)
            verdict(failed == 0, f"two servers, GET: {failed} of {total} failed, {resent} were sent "
                    f"again {endings}")
            total, failed, resent, endings = under_load(gateway, options, folder, "POST", restart)
            verdict(failed == sum(endings.values()),
                    f"two servers, POST: {failed} of {total} failed, those that were under way and "
                    f"may have been carried out: {endings}; {resent} were sent again, of which "
                    "nothing had left")
        finally:
            gateway.kill()
            for server in servers:
                server.kill()
    finish()


if __name__ == "__main__":
    main()
