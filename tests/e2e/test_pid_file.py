"""The file that says which process serves."""

import os
import pwd
import shutil
import tempfile
from pathlib import Path

import pytest

from support.checking import run
from support.gateway import Config

NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")


@pytest.fixture
def folder():
    """One that others may enter, as pytest's own are not."""
    path = Path(tempfile.mkdtemp(prefix="gateway-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def start_with(start_gateway, echo):
    def start(file, **top):
        return start_gateway(Config({"app": echo.port}, [{"pool": "app"}],
                                    top={"pid_file": str(file), **top}))
    return start


def test_it_is_there_while_the_process_serves(start_with, tmp_path):
    file = tmp_path / "gateway.pid"
    file.write_text("1\n")
    gateway = start_with(file)
    assert file.read_text() == f"{gateway.pid}\n"
    gateway.finish()
    assert not file.exists()


def test_what_a_successor_has_put_there_stays(start_with, tmp_path):
    file = tmp_path / "gateway.pid"
    gateway = start_with(file)
    file.write_text("12345678\n")
    gateway.finish()
    assert file.read_text() == "12345678\n"


@as_root
def test_a_user_takes_it_away_where_it_may(start_with, folder):
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    file = folder / "gateway.pid"
    gateway = start_with(file, user="nobody")
    assert file.stat().st_uid == NOBODY.pw_uid
    gateway.finish()
    assert not file.exists()


@as_root
def test_a_user_empties_it_where_only_root_may_take_it_away(start_with, folder):
    file = folder / "gateway.pid"
    gateway = start_with(file, user="nobody")
    assert file.read_text() == f"{gateway.pid}\n"
    gateway.finish()
    assert file.read_text() == ""


@pytest.mark.parametrize("name, words", [
    ("none/gateway.pid", "No such file or directory; make its folder first"),
    ("folder", "Is a directory"),
    ("link", "Too many levels of symbolic links"),
])
def test_what_cannot_be_written_is_named_by_the_check_as_by_the_start(tmp_path, name, words):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    file = tmp_path / "gateway.conf"
    file.write_text(f'pid_file = "{name}"\n' + Config({"app": 1}, [{"pool": "app"}]).text())
    for check in (["-t"], []):
        done = run(*check, "-c", file)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.endswith(
            f"gateway: error: pid file '{tmp_path / name}' cannot be written: {words}\n"), done
    assert not (tmp_path / "elsewhere").exists()
