"""A person's view: headless Chromium opens the demo page over https and chats over wss."""

import os
from pathlib import Path

import pytest

from support.browser import CHROMIUM, Browser
from support.gateway import BUILD
from support.relay import run

ARTIFACTS = Path(os.environ.get("GATEWAY_ARTIFACTS", BUILD / "artifacts"))

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.fixture
def browser():
    chromium = Browser()
    yield chromium
    chromium.close()


def in_log(kind, text):
    return (f"[...document.querySelectorAll('#log li.{kind}')]"
            f".some(entry => entry.innerText.includes({text!r}))")


def test_a_browser_chats_over_wss(gateway, browser, log):
    async def chat():
        async with browser as page:
            await page.open(f"https://localhost:{gateway.https_port}/")
            await page.wait_for("document.querySelector('#status')?.textContent === 'open'")
            await page.evaluate("document.querySelector('#text').value = 'grüße 👋'")
            await page.evaluate("document.querySelector('#send').click()")
            await page.wait_for(in_log("text", "grüße 👋"))
            await page.evaluate("document.querySelector('#text').value = 'ABC'")
            await page.evaluate("document.querySelector('#send-binary').click()")
            await page.wait_for(in_log("binary", "3 bytes: 41 42 43"))
            ARTIFACTS.mkdir(parents=True, exist_ok=True)
            await page.screenshot(ARTIFACTS / f"demo-{gateway.variant}.png")
            await page.evaluate("document.querySelector('#close').click()")
            await page.wait_for(in_log("closed", "code 1000"))
            assert await page.evaluate(in_log("closed", ", clean"))
            return page
    page = run(chat())
    line = log.wait("websocket", "/echo")
    assert "by=client" in line and "code=1000" in line
    documents = [one["response"] for one in page.event("Network.responseReceived")
                 if one.get("type") == "Document"]
    security = documents[0]["securityDetails"]
    assert security["protocol"] == "TLS 1.3"
    assert security["keyExchangeGroup"] in ("X25519MLKEM768", "X25519")


def test_a_browser_sends_and_gets_back_what_is_large(gateway, browser):
    """As messages of a WebSocket and as bodies: some in a record, some in hundreds."""
    script = """(async () => {
      const isSame = (one, other) => one.length === other.length &&
          one.every((byte, at) => byte === other[at]);
      const socket = new WebSocket(%r);
      socket.binaryType = 'arraybuffer';
      await new Promise((done, fail) => { socket.onopen = done; socket.onclose = fail; });
      const same = [];
      for (const size of [1, 16384, 65536, 3000000]) {
        const data = new Uint8Array(size).map((_, at) => at * 7 + (at >> 8));
        const message = new Promise(done => { socket.onmessage = ({data}) => done(data); });
        socket.send(data);
        same.push(isSame(data, new Uint8Array(await message)));
        const response = await fetch('/echo', {method: 'POST', body: data});
        same.push(isSame(data, new Uint8Array(await response.arrayBuffer())));
      }
      socket.close();
      return same;
    })()"""

    async def send():
        async with browser as page:
            origin = f"localhost:{gateway.https_port}"
            await page.open(f"https://{origin}/")
            await page.wait_for("document.querySelector('#status')?.textContent === 'open'")
            assert await page.evaluate(script % f"wss://{origin}/echo") == [True] * 8
            return page
    page = run(send())
    security = [one["response"]["securityDetails"] for one in page.event("Network.responseReceived")]
    assert {one["protocol"] for one in security} == {"TLS 1.3"}


def test_a_browser_sees_why_a_websocket_ends(gateway, browser):
    script = """new Promise(done => {
      const socket = new WebSocket(%r);
      socket.onclose = ({code, reason, wasClean}) => done([code, reason, wasClean]);
    })"""

    async def closings():
        async with browser as page:
            origin = f"localhost:{gateway.https_port}"
            await page.open(f"https://{origin}/")
            await page.wait_for("document.querySelector('#status')?.textContent === 'open'")
            return [await page.evaluate(script % f"wss://{origin}{path}")
                    for path in ("/misbehave/close?code=4002&reason=enough",
                                 "/misbehave/half-close", "/misbehave/refuse")]
    backend, half_closed, refused = run(closings())
    assert backend == [4002, "enough", True]
    assert half_closed[0] == 1011 and half_closed[1]
    assert refused == [1006, "", False]
