"""The dashboard in a browser, as the tests look at it and work it."""

import asyncio
import json
import time

from support.waiting import DEADLINE, TooLate

KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "PageUp": 33, "ArrowLeft": 37, "ArrowRight": 39}
# Chromium's own report of an answer that is an error, and of a server that is away: the page shows these itself.
EXPECTED = ("network",)


class Dashboard:
    """`async with` opens the page in the browser's tab and gives this; at the end, no script has failed and
    nothing was against the policy of content."""

    def __init__(self, browser, url, width=1280, height=900, scheme="light"):
        self.browser = browser
        self.url = url
        self.view = width, height, scheme
        self.page = None

    async def __aenter__(self):
        self.page = await self.browser.__aenter__()
        for domain in ("Runtime", "Log"):
            await self.page.call(f"{domain}.enable")
        await self.resize(*self.view)
        await self.page.call("Page.navigate", url="about:blank")  # the tab may have the last test's page
        await self.page.open(self.url)
        await self.page.wait_for("document.readyState === 'complete' && Boolean(document.querySelector('#link'))")
        await self.evaluate("sessionStorage.clear()")
        self.page.events.clear()
        await self.page.call("Page.reload")
        await self.page.wait_for("document.readyState === 'complete' && Boolean(document.querySelector('#link'))")
        return self

    async def __aexit__(self, kind, *_):
        try:
            if kind is None:
                assert not self.faults(), self.faults()
            await self.page.call("Page.navigate", url="about:blank")
        finally:
            await self.browser.__aexit__()

    def faults(self):
        entries = [one["entry"] for one in self.page.event("Log.entryAdded")]
        return ([one for one in entries if one["level"] == "error" and one["source"] not in EXPECTED]
                + self.page.event("Runtime.exceptionThrown"))

    async def resize(self, width, height, scheme):
        await self.page.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                             deviceScaleFactor=1, mobile=width < 500)
        await self.page.call("Emulation.setEmulatedMedia",
                             features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def evaluate(self, script):
        return await self.page.evaluate(script)

    async def becomes(self, script, expected):
        deadline = time.monotonic() + DEADLINE
        while (value := await self.evaluate(script)) != expected:
            if time.monotonic() > deadline:
                raise TooLate(f"waited for {script} to be {expected!r}; it is {value!r}")
            await asyncio.sleep(0.02)

    async def has_text(self, selector, words):
        await self.page.wait_for(f"document.querySelector({json.dumps(selector)})?.innerText"
                                 f".includes({json.dumps(words)})")

    async def live(self):
        """Until what is shown is made of two snapshots."""
        await self.has_text("#link", "live")
        await self.page.wait_for(f"!({self.figures_of('Messages a second')}).includes('–')")

    async def click(self, selector):
        await self.page.wait_for(f"Boolean(document.querySelector({json.dumps(selector)}))")
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    async def fill(self, selector, value):
        await self.evaluate(f"""(() => {{
          const field = document.querySelector({json.dumps(selector)});
          field.value = {json.dumps(value)};
          field.dispatchEvent(new Event('input', {{bubbles: true}}));
        }})()""")

    async def press(self, key, times=1, shift=False):
        text = {"Enter": "\r", " ": " "}.get(key)
        for _ in range(times):
            more = {"text": text} if text else {}
            await self.page.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key,
                                 windowsVirtualKeyCode=KEYS[key], modifiers=8 if shift else 0, **more)
            await self.page.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key,
                                 windowsVirtualKeyCode=KEYS[key], modifiers=8 if shift else 0)

    async def type(self, text):
        await self.page.call("Input.insertText", text=text)

    async def tab_to(self, script, at_most=200):
        """Tab after Tab, until the script says of `at`, which has the focus, that it is there."""
        for _ in range(at_most):
            await self.press("Tab")
            if await self.evaluate(f"(at => Boolean({script}))(document.activeElement)"):
                return
        raise AssertionError(f"no Tab leads to {script}")

    @staticmethod
    def figures_of(title):
        return (f"[...[...document.querySelectorAll('figure')].find(one => one.querySelector('h3').textContent"
                f" === {json.dumps(title)}).querySelectorAll('b')].map(one => one.textContent)")

    @staticmethod
    def tile(name):
        return (f"[...document.querySelectorAll('#tiles .card')].find(one => one.firstChild.textContent"
                f" === {json.dumps(name)}).querySelector('b').textContent")

    @staticmethod
    def rows(table):
        return (f"[...document.querySelectorAll('#{table} tbody tr')].map(row => [...row.cells]"
                f".map(cell => cell.textContent))")
