"""A gateway whose binary is replaced while it serves. Successors are children of nobody, once they
serve: the test takes them in, as a service manager does."""

import ctypes
import os
import re
import shutil
import signal
import socket
import threading
from pathlib import Path

from support.frames import CLOSE, TEXT, close_payload, frame, read_frame
from support.gateway import GATEWAY, Config
from support.relay import open_echo
from support.reloading import saying
from support.streams import Stream, Truncated, connect
from support.waiting import DEADLINE, wait_until

REQUEST = b"GET /bytes?n=10 HTTP/1.1\r\nHost: localhost\r\n\r\n"
# A successor that fails, and says why.
FAILS = "#!/bin/sh\necho no such thing >&2\nprintf 'nor that' >&2\nexit 1\n"
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)


def place(path, content=GATEWAY):
    """As a package would: at once. A path is copied, a text is a script."""
    fresh = Path(f"{path}.new")
    if isinstance(content, Path):
        shutil.copy(content, fresh)
    else:
        fresh.write_text(content)
        fresh.chmod(0o755)
    fresh.rename(path)


def is_zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def exists(pid):
    return Path(f"/proc/{pid}").exists() and not is_zombie(pid)


def children(pid):
    """Of all its threads, without those that have ended."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(one) for one in (task / "children").read_text().split()]
    return [one for one in found if not is_zombie(one)]


class Upgrading:
    """The line of processes that `gateway` begins; `pid` is the one that serves."""

    def __init__(self, gateway, log, binary):
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
        self.gateway = gateway
        self.log = log
        self.binary = binary
        self.pids = [gateway.pid]
        self.codes = {}

    @property
    def pid(self):
        return self.pids[-1]

    def signal(self, how=signal.SIGUSR2, pid=None):
        os.kill(pid or self.pid, how)

    def note_successor(self):
        """Waits for the next one to serve."""
        line = self.log.wait_many(len(self.pids), "main upgrade: pid ", " serves now")[-1]
        self.pids.append(int(re.search(r"pid (\d+) serves now", line)[1]))
        return self.pid

    def __call__(self):
        self.signal()
        return self.note_successor()

    def fails(self):
        """What the log says of it, and of the last words before that."""
        count = len(self.log.lines("main upgrade: failed: ")) + 1
        self.signal()
        line = self.log.wait_many(count, "main upgrade: failed: ")[-1]
        words = [one.split("upgrade: successor: ")[1] for one in self.log.lines("upgrade: successor: ")]
        return line.split("upgrade: failed: ")[1], words

    def exit_status(self, pid):
        """Of one that has ended, or nothing."""
        if pid == self.gateway.pid:
            return self.gateway.process.poll()
        if pid not in self.codes:
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                return None  # its predecessor lives: it is not ours yet
            if ended == pid:
                self.codes[pid] = os.waitstatus_to_exitcode(status)
        return self.codes.get(pid)

    def wait_for_end(self, pid):
        wait_until(lambda: self.exit_status(pid) is not None,
                   lambda: f"{pid} to end:\n{self.gateway.log()[-4000:]}")
        return self.exit_status(pid)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def finish(self):
        """Each that has not ended yet ends well."""
        left = [pid for pid in self.pids if self.exit_status(pid) is None]
        self.signal(signal.SIGTERM)
        assert [self.wait_for_end(pid) for pid in left] == [0] * len(left), \
            self.gateway.log()[-4000:]
        self.gateway.check_faults()

    def kill(self):
        for pid in self.pids[1:]:
            if self.exit_status(pid) is None and exists(pid):
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda pid=pid: not exists(pid), "it to be gone")
                self.exit_status(pid)


class Worker(threading.Thread):
    """Does one thing again and again until it is told to stop; counts what went well."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work = work
        self.over = threading.Event()
        self.count, self.renewed, self.faults = 0, 0, []
        self.start()

    def run(self):
        while not self.over.is_set():
            try:
                self.work(self)
            except Exception as fault:  # pylint: disable=broad-except
                self.faults.append(repr(fault))

    def stop(self):
        self.over.set()
        self.join(DEADLINE)


def ask_once(port, secure, request):
    """Over a connection of its own."""
    def work(worker):
        with connect(port, secure) as client:
            client.send(request)
            assert client.read_response()[0].status == 200
        worker.count += 1
    return work


def ask_kept(port, secure, request):
    """Over one connection for as long as it is kept. One that has been ended in order before any byte
    of an answer came is renewed, as every client has to (RFC 9112 section 9.3.1)."""
    kept = []

    def work(worker):
        fresh = not kept
        client = kept.pop() if kept else connect(port, secure)
        before = len(client.received)
        try:
            client.send(request)
            head, _ = client.read_response()
        except EOFError as end:
            client.close()
            if fresh or isinstance(end, Truncated) or len(client.received) > before:
                raise
            worker.renewed += 1
            return
        assert head.status == 200, head
        worker.count += 1
        if head.get("Connection") == "close":
            worker.renewed += 1
            client.close()
        else:
            kept.append(client)
    return work


def echo_kept(port):
    """A wss session; one that is closed as a gateway that stops does is opened anew."""
    kept = []

    def work(worker):
        if not kept:
            kept.append(connect(port, True))
            open_echo(kept[0])
        client = kept[0]
        client.send(frame(TEXT, b"x"))
        answer = read_frame(client)
        if answer.opcode == CLOSE:
            assert answer.payload[:2] == close_payload(1001)[:2], answer
            client.send(frame(CLOSE, answer.payload))
            assert client.read_to_end() == b""
            client.close()
            kept.clear()
            worker.renewed += 1
            return
        assert answer.payload == b"x", answer
        worker.count += 1
    return work


def config_for(echo, **options):
    return Config({"echo": {"servers": echo.port, "keep_alive_idle": "50ms"}},
                  [saying("one", "/says"), {"name": "echo", "path": "/", "pool": "echo"}], **options)


def unix_socket(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    return Stream(client)


def write(line, text=None):
    fresh = line.gateway.file.with_suffix(".new")
    fresh.write_text(line.gateway.config.text() if text is None else text)
    fresh.rename(line.gateway.file)


class Held:
    """A request that is under way for as long as the test likes."""

    def __init__(self, port, upstream, secure=False):
        self.client = connect(port, secure)
        self.client.send(b"GET /held HTTP/1.1\r\nHost: raw.test\r\n\r\n")
        self.server = upstream.accept()
        self.server.read_head()

    def ends_well(self):
        self.server.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        head, body = self.client.read_response()
        self.client.close()
        return (head.status, body) == (200, b"ok")
