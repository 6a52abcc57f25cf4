"""Real applications as upstreams: the same one on Node's http and on Python's http.server."""

import json
import os
import re
import shutil
import sys
import urllib.request
from pathlib import Path

from support.program import Program
from support.waiting import DEADLINE, wait_until

APPS = Path(__file__).resolve().parents[1] / "apps"
NODE = shutil.which("node")
# Where Debian's node-ws lies, for a node from elsewhere.
NODE_PATH = os.pathsep.join([os.environ.get("NODE_PATH", ""), "/usr/share/nodejs",
                             "/usr/lib/nodejs"])
COMMANDS = {
    "node": [NODE or "node", APPS / "server.js"],
    "python-1.1": [sys.executable, APPS / "server.py", "HTTP/1.1"],
    "python-1.0": [sys.executable, APPS / "server.py", "HTTP/1.0"],
}


class Application(Program):
    """Listening when the constructor returns. publish() and state() talk to it directly."""

    def __init__(self, kind, folder):
        super().__init__(COMMANDS[kind], folder, f"application-{kind}")
        self.kind = kind
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            found = self.wait_for(lambda: re.search(r"listening on (\d+)", self.output()),
                                  "its port")
        except BaseException:
            self.kill()
            raise
        self.port = int(found[1])

    def request(self, path, data=None):
        url = f"http://127.0.0.1:{self.port}{path}"
        return self.opener.open(url, data, timeout=DEADLINE).read()

    def publish(self, text):
        assert self.request("/publish", text.encode()) == b"published"

    def state(self):
        return json.loads(self.request("/state"))

    def wait_for_state(self, **expected):
        """Such as listeners=1, polls=0."""
        def holds():
            state = self.state()
            return all(state[key] == value for key, value in expected.items())
        wait_until(holds, lambda: f"{expected} of the application, which has {self.state()}")
