"""The HTML report in headless Chromium: it fits a phone, draws every chart, follows the reader's
colour scheme, and nothing that a peer sent becomes part of the page.

GATEWAY_ARTIFACTS=folder: where pictures of it go, to look at.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "e2e"))

from support.browser import CHROMIUM, Browser  # noqa: E402
from support.waiting import DEADLINE  # noqa: E402

BUILD = Path(os.environ["MESON_BUILD"])
ARTIFACTS = Path(os.environ.get("GATEWAY_ARTIFACTS", BUILD / "artifacts"))
CHARTS = ["rate", "latency", "percentiles", "open", "errors"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

WIDER = """[...document.querySelectorAll('body *')]
    .filter(one => !one.closest('.scroll, svg') && one.getClientRects().length)
    .filter(one => one.getBoundingClientRect().right
                   > document.documentElement.clientWidth + 0.5)
    .map(one => one.outerHTML.slice(0, 120))"""
# Labels of one axis, or phases' names, that lie over one another.
OVERLAPS = """[...document.querySelectorAll('.x, .y, .area')].flatMap(axis => {
    const boxes = [...axis.querySelectorAll(':scope > span')]
        .map(one => one.getBoundingClientRect()).filter(box => box.width);
    const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
                           && a.top < b.bottom - 2 && b.top < a.bottom - 2;
    return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => meet(a, b))
        .map(() => axis.innerText)) })"""
CUT_OFF = """[...document.querySelectorAll('dt, dd, .x span, .y span')]
    .filter(one => getComputedStyle(one).display != 'inline')
    .filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => one.innerText)"""
COLOURS = """['body', 'h1', '.chart', '.line.first', '.verdict'].map(one => {
    const style = getComputedStyle(document.querySelector(one));
    return [style.backgroundColor, style.color, style.stroke].join() })"""


def write(folder, kind):
    subprocess.run([os.environ["WRITE_SAMPLE"], folder, kind], check=True, timeout=60)
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser():
    chromium = Browser()
    yield chromium
    chromium.close()


def looked_at(browser, file, look, width=1100, scheme="light"):
    async def story():
        async with browser as page:
            await page.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                            deviceScaleFactor=1, mobile=width < 600)
            await page.call("Emulation.setEmulatedMedia", features=[
                {"name": "prefers-color-scheme", "value": scheme}])
            await page.open(file.as_uri())
            await page.wait_for(f"location.href == {file.as_uri()!r} && !!document.querySelector("
                                "'h1') && document.readyState == 'complete'")
            return await look(page)
    return asyncio.run(asyncio.wait_for(story(), 3 * DEADLINE))


async def picture(page, name):
    height = await page.evaluate("document.documentElement.scrollHeight")
    width = await page.evaluate("innerWidth")
    await page.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                    deviceScaleFactor=1, mobile=width < 600)
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(ARTIFACTS / f"{name}.png")


@pytest.mark.parametrize("kind", ["usual", "hostile", "empty", "limited", "handshakes"])
@pytest.mark.parametrize("width", [320, 400, 1100])
def test_it_fits_and_nothing_overlaps(browser, tmp_path, kind, width):
    async def look(page):
        await picture(page, f"report-{kind}-{width}")
        return [await page.evaluate("document.documentElement.scrollWidth"),
                await page.evaluate(WIDER), await page.evaluate(OVERLAPS),
                await page.evaluate(CUT_OFF)]
    assert looked_at(browser, write(tmp_path, kind), look, width) == [width, [], [], []]


def test_a_phone_shows_tables_whole(browser, tmp_path):
    async def look(page):
        return await page.evaluate("""[...document.querySelectorAll('.scroll')]
            .map(one => one.scrollWidth - one.clientWidth)""")
    wider = looked_at(browser, write(tmp_path, "usual"), look, 400)
    assert len(wider) > 4 and max(wider) == 0


def test_every_chart_is_drawn(browser, tmp_path):
    async def look(page):
        return await page.evaluate("""Object.fromEntries(
            [...document.querySelectorAll('figure.chart')].map(one => {
                const drawn = [...one.querySelectorAll('path.line, path.bars')];
                const box = one.querySelector('svg').getBoundingClientRect();
                const shortest = Math.min(...drawn.map(path => path.getTotalLength()));
                return [one.id, [drawn.length, shortest, box.height > 100,
                                 one.querySelectorAll('.x span').length > 3,
                                 one.querySelectorAll('.y span').length > 2]] }))""")
    charts = looked_at(browser, write(tmp_path, "usual"), look)
    assert list(charts) == CHARTS
    lines = {"rate": 2, "latency": 3, "percentiles": 2, "open": 1, "errors": 1}
    for name, (drawn, shortest, *sound) in charts.items():
        assert drawn == lines[name] and shortest > 100 and all(sound), (name, charts[name])


def test_it_follows_the_colour_scheme(browser, tmp_path):
    file = write(tmp_path, "usual")

    async def look(page):
        return await page.evaluate(COLOURS)

    async def dark(page):
        await picture(page, "report-dark")
        return await look(page)
    light, dark = looked_at(browser, file, look), looked_at(browser, file, dark, scheme="dark")
    assert len(light) == 5
    assert all(one != other for one, other in zip(light, dark)), (light, dark)


def test_what_a_peer_sent_stays_text(browser, tmp_path):
    async def look(page):
        return [await page.evaluate("document.title"),
                await page.evaluate("document.querySelectorAll('script, img, [onload]').length"),
                await page.evaluate("document.querySelector('footer code').innerText"),
                page.event("Network.requestWillBeSent")]
    title, foreign, command, requests = looked_at(browser, write(tmp_path, "hostile"), look)
    assert title != "owned" and foreign == 0
    assert command.startswith("</style><script>")
    assert {one["request"]["url"].split(":")[0] for one in requests} <= {"file"}


def test_it_needs_no_script(tmp_path):
    text = write(tmp_path, "usual").read_text()
    assert "<script" not in text and "http" not in text.replace("HTTP", "")
