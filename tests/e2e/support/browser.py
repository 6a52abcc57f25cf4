"""Headless Chromium over its own remote protocol: no driver between it and the test."""

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import websockets

from support.program import die_with_parent
from support.waiting import DEADLINE, wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--disable-default-apps", "--disable-extensions",
         "--no-proxy-server", "--ignore-certificate-errors", "--remote-debugging-port=0",
         "--remote-allow-origins=*", "--window-size=1000,700"]
START_DEADLINE = 5 * DEADLINE  # a dozen processes, read from a cold disk beside other tests


class Browser:
    """One Chromium with a fresh profile, started; `async with` gives a Page."""

    def __init__(self):
        self.profile = Path(tempfile.mkdtemp(prefix="gateway-browser-"))
        with open(self.profile / "chromium.log", "wb") as log:
            self.process = subprocess.Popen(
                [CHROMIUM, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=die_with_parent)
        try:
            self.port = self.debugging_port()
        except BaseException:
            self.close()
            raise

    def debugging_port(self):
        file = self.profile / "DevToolsActivePort"

        def started():
            assert self.process.poll() is None, f"Chromium ended: {self.log()}"
            return file.exists() and file.read_text()
        text = wait_until(started, lambda: f"Chromium to start: {self.log()}", START_DEADLINE)
        return int(text.splitlines()[0])

    def log(self):
        return (self.profile / "chromium.log").read_text(errors="replace")

    async def __aenter__(self):
        url = f"http://127.0.0.1:{self.port}/json"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        targets = json.load(opener.open(url, timeout=DEADLINE))
        page = next(one for one in targets if one["type"] == "page")
        self.socket = await websockets.connect(page["webSocketDebuggerUrl"], max_size=None,
                                               compression=None)
        return Page(self.socket)

    async def __aexit__(self, *_):
        await self.socket.close()

    def close(self):
        """Its helpers are in its process group; the group is ours alone."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(DEADLINE)
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    def __init__(self, socket):
        self.socket = socket
        self.number = 0
        self.events = []

    async def call(self, method, **parameters):
        self.number += 1
        await self.socket.send(json.dumps({"id": self.number, "method": method,
                                           "params": parameters}))
        while True:
            message = json.loads(await self.socket.recv())
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    async def evaluate(self, script):
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True,
                                 awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def wait_for(self, script):
        """Until the script gives something true, which is returned."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEADLINE
        while not (value := await self.evaluate(script)):
            assert loop.time() < deadline, f"waited for {script}; " + await self.evaluate(
                "document.body ? document.body.innerText : ''")
            await asyncio.sleep(0.02)
        return value

    async def open(self, url):
        await self.call("Page.enable")
        await self.call("Network.enable")
        await self.call("Page.navigate", url=url)

    async def screenshot(self, file):
        answer = await self.call("Page.captureScreenshot", format="png")
        Path(file).write_bytes(base64.b64decode(answer["data"]))

    def event(self, method):
        return [one["params"] for one in self.events if one["method"] == method]
