"""The real gateway-echo for all tests of a run, on a free port."""

import os
import subprocess

import pytest


class Echo:
    def __init__(self):
        self.process = subprocess.Popen(
            [os.environ["GATEWAY_ECHO"], "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().split()[-1]

    @property
    def host_port(self):
        host, port = self.address.rsplit(":", 1)
        return host, int(port)

    def ws(self, path):
        return f"ws://{self.address}{path}"

    def http(self, path):
        return f"http://{self.address}{path}"


@pytest.fixture(scope="session")
def echo():
    echo = Echo()
    yield echo
    assert echo.process.poll() is None, "gateway-echo ended by itself"
    echo.process.terminate()
    assert echo.process.wait(10) == 0
