"""Socket.IO as npm has it: servers that may be stopped and started again, and clients."""

import json
import re
import shutil
from pathlib import Path

import pytest

from support.program import Program
from support.waiting import DEADLINE

FOLDER = Path(__file__).resolve().parents[1] / "apps" / "socketio"
NODE = shutil.which("node")

needs_socketio = pytest.mark.skipif(
    NODE is None or not (FOLDER / "node_modules" / "socket.io").is_dir(),
    reason="needs Node and Socket.IO, which tools/bootstrap --tests installs by npm")


class SocketIoServer(Program):
    """Listening when the constructor returns, on that port or a free one."""

    def __init__(self, folder, name, port=0):
        super().__init__([NODE, FOLDER / "server.js", str(port)], folder, name)
        try:
            found = self.wait_for(lambda: re.search(r"listening on (\d+)", self.output()), "its port")
        except BaseException:
            self.kill()
            raise
        self.port = int(found[1])


class SocketIoClient(Program):
    """Connects so many times; one that stays, when it has lost its connection."""

    def __init__(self, folder, name, url, times, stays=False):
        more = ["stays"] if stays else []
        super().__init__([NODE, FOLDER / "client.js", url, str(times), *more], folder, name)
        self.times = times

    def rounds(self):
        """What it has told so far, of each."""
        lines = self.output().split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def all_rounds(self):
        assert self.wait(4 * DEADLINE) == 0, self.log()
        rounds = self.rounds()
        assert len(rounds) == self.times
        return rounds
