"""--watch: the configuration is taken over again when it, or a file that it names, has changed.

What takes several steps is done while the gateway stands still, so that it sees them together.
"""

import os
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.certificates import make_certificate
from support.checking import run
from support.gateway import AT_ONCE, Config, Gateway, Variant
from support.reloading import Reloading, ask_anew, saying
from support.waiting import wait_until

WATCHING = ["sh", "-c", 'exec "$@" --watch', "sh"]
NOTHING = "watch: nothing has changed"


class Watching(Reloading):
    """Reloads come by themselves."""

    def replace(self, file, text):
        fresh = file.with_name("fresh")
        fresh.write_text(text)
        fresh.rename(file)

    def says(self, words):
        """The configuration that says so, written at once, serves; gives the line of its reload."""
        self.gateway.config.routes[0] = saying(words)
        self.write()
        line = self.ending()
        assert ask_anew(self.gateway.http_port) == (200, words)
        return line

    def has_changed(self, count=1):
        """The last of so many lines that say what has changed."""
        line = self.log.wait_many(count, "main watch: ", ": reloading")[count - 1]
        return line.split(" main watch: ")[1].removesuffix(": reloading")

    def expect_no_others(self):
        """There were no reloads but those that a test has waited for."""
        assert len(self.log.lines("main reload: ")) == self.reloads, self.log.text()


@pytest.fixture
def start(start_gateway, log_of):
    def begin(config=None, variant=Variant(2), started_by=(), **options):
        gateway = start_gateway(config or Config({}, [saying("one")]), variant,
                                started_by=[*started_by, *WATCHING], **options)
        watching = Watching(gateway, log_of(gateway))
        if gateway.config.log_file != "stderr":
            gateway.log_file = Path(gateway.config.log_file)
        watching.log.mark = 0
        watching.log.wait("main watch: ")
        return gateway, watching
    return begin


@pytest.fixture
def config_map(tmp_path):
    """lay(files): a folder as kubelet lays it, and changes it."""
    folder = tmp_path / "mounted"
    folder.mkdir()

    def lay(files):
        data = folder / "..data"
        before = data.resolve() if data.exists() else None
        version = folder / f"..version-{0 if before is None else int(before.name.split('-')[1]) + 1}"
        version.mkdir()
        for name, text in files.items():
            (version / name).write_text(text)
            if not (folder / name).is_symlink():
                (folder / name).symlink_to(f"..data/{name}")
        link = folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(data)
        if before is not None:
            shutil.rmtree(before)
    lay.folder = folder
    return lay


def certificate_of(port):
    return ssl.get_server_certificate(("127.0.0.1", port))


def opened_by(gateway):
    """The paths of what it has open."""
    paths = set()
    for entry in Path(f"/proc/{gateway.pid}/fd").iterdir():
        try:
            paths.add(os.readlink(entry))
        except FileNotFoundError:
            pass  # closed meanwhile
    return paths


# What is a change.

def test_a_file_that_is_replaced_or_written_is_taken_over(start):
    gateway, watching = start()
    assert watching.log.lines("main watch: 1 file in 1 folder")
    watching.says("two")
    assert watching.has_changed() == f"{gateway.file} has changed"
    gateway.config.routes[0] = saying("three")
    with gateway.paused():
        gateway.file.write_text(gateway.config.text())
    assert watching.ending().startswith("generation 3: route says changed; ")
    assert ask_anew(gateway.http_port) == (200, "three")
    watching.expect_no_others()


def test_a_renewed_certificate_is_served(start, tmp_path):
    folders = [tmp_path / name for name in ("live", "first", "second")]
    for folder in folders:
        folder.mkdir()
    pair = [folders[0] / "chain.pem", folders[0] / "key.pem"]

    made = [make_certificate(folder, ["a.test"]) for folder in folders[1:]]

    def renew(files):
        """As certbot does: links that lead to other files."""
        for link, file in zip(pair, files):
            link.with_suffix(".new").symlink_to(file)
            link.with_suffix(".new").rename(link)
    renew(made[0])
    gateway, watching = start(Config({}, [saying("one")], certificates=[pair]))
    assert watching.log.lines("main watch: 3 files in 3 folders")
    before = certificate_of(gateway.https_port)
    with gateway.paused():
        renew(made[1])
    assert watching.ending().startswith("generation 2: ")
    assert watching.has_changed() == f"{pair[0]} and another file have changed"
    after = certificate_of(gateway.https_port)
    assert after != before
    assert after.strip() == made[1][0].read_text().strip()


def test_a_config_map_is_taken_over_with_its_certificates(start, config_map, tmp_path):
    made = [tmp_path / "one", tmp_path / "two"]
    for folder in made:
        folder.mkdir()
    pairs = [[file.read_text() for file in make_certificate(folder, ["a.test"])] for folder in made]
    config = Config({}, [saying("one")], certificates=[(config_map.folder / "chain.pem",
                                                        config_map.folder / "key.pem")])

    def lay(pair):
        config_map({"gateway.conf": config.text(), "chain.pem": pair[0], "key.pem": pair[1]})
    lay(pairs[0])
    (tmp_path / "gateway-0.conf").symlink_to(config_map.folder / "gateway.conf")
    gateway, watching = start(config)
    before = certificate_of(gateway.https_port)
    config.routes[0] = saying("two")
    lay(pairs[1])
    assert watching.ending().startswith("generation 2: ")
    assert ask_anew(gateway.http_port) == (200, "two")
    assert certificate_of(gateway.https_port) != before
    config.routes[0] = saying("three")
    lay(pairs[1])
    assert watching.ending().startswith("generation 3: route says changed; ")
    watching.expect_no_others()


def test_a_burst_of_changes_is_one_reload(start, tmp_path):
    gateway, watching = start()
    with gateway.paused():
        for number in range(50):
            gateway.config.routes[0] = saying(f"number {number}")
            watching.write()
            gateway.file.write_text(gateway.config.text())
    assert watching.ending().startswith("generation 2: ")
    assert ask_anew(gateway.http_port) == (200, "number 49")
    watching.says("the next")
    watching.expect_no_others()


# What is none.

def test_what_changes_nothing_is_no_reload(start):
    gateway, watching = start()
    text = gateway.file.read_text()
    nothings = [lambda: os.utime(gateway.file), lambda: gateway.file.write_text(text),
                lambda: watching.replace(gateway.file, text), lambda: gateway.file.chmod(0o600)]
    for count, nothing in enumerate(nothings, 1):
        with gateway.paused():
            nothing()
        watching.log.wait_many(count, NOTHING)
    watching.expect_no_others()


def test_readers_and_others_in_the_folder_disturb_nobody(start, tmp_path):
    """If they were changes it would not be still for as long as they go on. The gateway's own log,
    which has a line of each request, lies there, too."""
    config = Config({}, [saying("one")], log_file=str(tmp_path / "own.log"),
                    top={"pid_file": str(tmp_path / "gateway.pid")})
    gateway, watching = start(config)
    config.routes[0] = saying("two")
    watching.write()

    def goes_on():
        (tmp_path / "other").write_text("x")
        (tmp_path / "other").rename(tmp_path / "another")
        gateway.file.read_text()
        return ask_anew(gateway.http_port) == (200, "two")
    wait_until(goes_on, watching.log.text)
    watching.ending()
    watching.expect_no_others()


# What goes wrong.

def test_a_broken_file_is_told_and_mended(start):
    gateway, watching = start()
    good = gateway.config.text()
    watching.replace(gateway.file, "colour = 1\n" + good)
    assert watching.ending() == "failed: 1 error in the configuration; generation 1 goes on"
    assert watching.log.lines("unknown key 'colour'")
    watching.replace(gateway.file, "[[listen]\n")
    assert watching.ending().startswith("failed: 1 error")
    assert ask_anew(gateway.http_port) == (200, "one")
    watching.replace(gateway.file, good)
    assert watching.ending() == "no change"
    watching.says("two")


def test_what_a_broken_configuration_named_is_waited_for(start, tmp_path):
    """A certificate that comes after the configuration that names it."""
    gateway, watching = start()
    made = tmp_path / "made"
    made.mkdir()
    pair = make_certificate(made, ["a.test"])
    late = [tmp_path / "late" / file.name for file in pair]
    gateway.config.certificates = [late]
    watching.write()
    assert watching.ending().startswith("failed: 2 errors")
    made.rename(tmp_path / "late")
    assert watching.ending().startswith("generation 2: ")
    assert certificate_of(gateway.https_port).strip() == late[0].read_text().strip()


def test_a_file_and_a_folder_that_go_and_come_back(start, tmp_path):
    folder = tmp_path / "etc"
    folder.mkdir()
    config = Config({}, [saying("one")])
    (folder / "gateway.conf").write_text(config.text())
    (tmp_path / "gateway-0.conf").symlink_to(folder / "gateway.conf")
    gateway, watching = start(config)
    text = gateway.file.read_text()
    (folder / "gateway.conf").unlink()
    assert watching.ending().startswith("failed: ")
    assert watching.log.lines("there is no such file")
    watching.replace(folder / "gateway.conf", text)
    assert watching.ending() == "no change"
    shutil.rmtree(folder)
    assert watching.ending().startswith("failed: ")
    folder.mkdir()
    config.routes[0] = saying("two")
    watching.replace(folder / "gateway.conf", config.text())
    assert watching.ending().startswith("generation 2: ")
    folder.rename(tmp_path / "old")
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    config.routes[0] = saying("three")
    (tmp_path / "new" / "gateway.conf").write_text(config.text())
    (tmp_path / "new").rename(folder)
    wait_until(lambda: ask_anew(gateway.http_port) == (200, "three"), watching.log.text)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
def test_a_folder_that_the_user_may_not_list_is_told(log_of):
    with tempfile.TemporaryDirectory(prefix="gateway-") as name:
        folder, closed = Path(name), Path(name) / "closed"
        folder.chmod(0o755)  # as pytest's own are not
        closed.mkdir()
        pair = make_certificate(closed, ["a.test"])
        pair[1].chmod(0o644)
        closed.chmod(0o711)
        gateway = Gateway(folder, Config({}, [saying("one")], certificates=[pair], top={"user": "nobody"}),
                          started_by=WATCHING)
        try:
            watching = Watching(gateway, log_of(gateway))
            watching.log.mark = 0
            line = watching.log.wait("warning", "main watch: ")
            assert line.endswith(f"{closed} cannot be watched: Permission denied; let the user that runs the "
                                 "gateway read that folder; files are looked at every 5 s instead")
            watching.says("two")
            watching.replace(pair[0], "")
            assert watching.ending().startswith("failed: ")
            gateway.finish()
        finally:
            gateway.kill()


def limited(limit, value):
    """A command that runs another one as a user who has no more of it."""
    command = ["unshare", "--user", "--map-root-user", "sh", "-c",
               f'echo {value} > /proc/sys/user/{limit} && exec "$@"', "sh"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no namespace of users with limits of its own can be made here")
    return command


def test_what_cannot_be_watched_is_looked_at(start):
    """The one watch is for the root folder."""
    _, watching = start(started_by=limited("max_inotify_watches", 1))
    line = watching.log.wait("warning", "main watch: ")
    assert re.search(r"cannot be watched: No space left on device; raise fs\.inotify\.max_user_watches "
                     r"\(sysctl\); files are looked at every 5 s instead$", line)
    watching.says("two")


def test_without_inotify_the_files_are_looked_at(start):
    _, watching = start(started_by=limited("max_inotify_instances", 0))
    line = watching.log.wait("warning", "main watch: ")
    assert "there is no inotify: Too many open files; raise fs.inotify.max_user_instances" in line
    watching.says("two")


# With other things that go on.

def test_a_signal_that_was_faster_is_no_second_reload(start):
    gateway, watching = start()
    gateway.config.routes[0] = saying("two")
    with gateway.paused():
        watching.write()
        watching.signal()
    assert watching.ending().startswith("generation 2: ")
    watching.log.wait(NOTHING)
    watching.says("three")
    watching.expect_no_others()


def test_what_changes_while_it_is_read_is_taken_over_after_it(start, tmp_path):
    """The folder of a new certificate is watched only when the configuration that names it has been
    read; until then the reader waits for CAs that come through a pipe."""
    gateway, watching = start()
    made = [tmp_path / "one", tmp_path / "two"]
    for folder in made:
        folder.mkdir()
    pair, renewed = (make_certificate(folder, ["a.test"]) for folder in made)
    pipe, cas = tmp_path / "pipe", tmp_path / "ca.pem"
    shutil.copy(pair[0], cas)
    os.mkfifo(pipe)
    gateway.config.certificates = [pair]
    gateway.config.pools = {"app": {"servers": "127.0.0.1:1", "tls": {"ca": str(pipe)}}}
    with open(os.open(pipe, os.O_RDWR), "wb", buffering=0) as writer:
        watching.write()
        wait_until(lambda: str(pipe) in opened_by(gateway), watching.log.text)
        for old, new in zip(pair, renewed):
            shutil.copy(new, old)
        text = cas.read_bytes()
        cas.rename(pipe)  # for the next reader
        writer.write(text)
    assert watching.ending().startswith("generation 2: ")
    assert watching.ending().startswith("generation 3: ")
    assert certificate_of(gateway.https_port).strip() == renewed[0].read_text().strip()


def test_a_stop_while_it_waits_for_stillness(start):
    """The stop takes longer than that."""
    gateway, watching = start(Config({}, [saying("one")], drain={**AT_ONCE, "delay": "3s"}))
    with gateway.paused():
        gateway.config.routes[0] = saying("two")
        watching.write()
        gateway.process.send_signal(signal.SIGTERM)
    assert gateway.wait() == 0
    assert not watching.log.lines("main reload: ")
    assert not watching.log.lines("reloading")


def test_it_goes_with_what_is_watchable():
    for words, told in ((("-t",), "leave it out with -t"),
                        (("--from", "http://:1", "--to", "a:1"), "it goes with -c FILE")):
        done = run("--watch", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr
