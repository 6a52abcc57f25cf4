"""The dashboard for whoever looks at it: by the keyboard alone, dark and light, on a phone; and what it shows
of a gateway that is dead, silent, or another one than before."""

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from support.admin_stand_in import TOKEN
from support.admin_world import World
from support.browser import CHROMIUM
from support.gateway import BUILD
from support.waiting import wait_until

ARTIFACTS = Path(os.environ.get("GATEWAY_ARTIFACTS", BUILD / "artifacts"))

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

TIP = "document.querySelector('#tip')"
WIDTH = "document.scrollingElement.scrollWidth"
OPACITY = "getComputedStyle(document.querySelector('#charts')).opacity"
# Each text whose contrast to what is behind it is below that of WCAG 2.1's level AA.
FAINT = """(() => {
  const colour = text => (([r, g, b, a = 1]) => ({r, g, b, a}))(text.match(/[\\d.]+/g).map(Number));
  const over = (top, below) => Object.fromEntries(['r', 'g', 'b'].map(one =>
    [one, top[one] * top.a + below[one] * (1 - top.a)]).concat([['a', 1]]));
  const behind = node => node ? over(colour(getComputedStyle(node).backgroundColor), behind(node.parentElement))
    : {r: 255, g: 255, b: 255, a: 1};
  const light = ({r, g, b}) => [r, g, b].map(one => one / 255)
    .map(one => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  for (let looked = 0; texts.nextNode(); ++looked) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !node.offsetParent || node.disabled) continue;
    if (node.closest('svg, script, style, option, .hidden, .skip')) continue;
    const back = behind(node);
    const ratio = contrast(light(over(colour(getComputedStyle(node).color), back)), light(back));
    if (ratio < 4.5) faint.push([texts.currentNode.textContent, ratio]);
  }
  return faint;
})()"""


@pytest.mark.parametrize("width, height", [(1280, 900), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_in_light_and_dark_on_a_desk_and_a_phone(admin, on_page, scheme, width, height):
    admin.world.special = {2: {"request": "GET chat.example.com/" + "x" * 500, "route": "y" * 200}}
    background = {"light": "rgb(244, 245, 247)", "dark": "rgb(14, 18, 23)"}[scheme]

    async def story(page):
        await page.live()
        await page.becomes(f"{page.rows('connection-table')}.length", 25)
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == background
        assert await page.evaluate(FAINT) == []
        assert await page.evaluate(WIDTH) <= width
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        await page.page.screenshot(ARTIFACTS / f"dashboard-{scheme}-{width}.png")
        for opener, closer in {"#connection-table tbody tr:nth-child(2) button": "#detail-close",
                               "#reload": "#act-close", "#token": "#token-cancel"}.items():
            await page.click(opener)
            await page.becomes("document.querySelectorAll('dialog[open]').length", 1)
            assert await page.evaluate(FAINT) == []
            assert await page.evaluate("document.querySelector('dialog[open]').scrollWidth"
                                       " <= document.querySelector('dialog[open]').clientWidth")
            assert await page.evaluate(WIDTH) <= width
            await page.click(closer)
        admin.die()
        await page.has_text("#outage", "No answer since")
        assert await page.evaluate(WIDTH) <= width
        await page.page.screenshot(ARTIFACTS / f"dashboard-{scheme}-{width}-outage.png")
        admin.start()
    on_page(admin.url, story, scheme=scheme, width=width, height=height)


def test_the_keyboard_alone_kicks_a_connection(admin, on_page):
    async def story(page):
        await page.live()
        await page.becomes(f"{page.rows('connection-table')}.length", 25)
        await page.tab_to("at.textContent === 'Connections' && at.closest('nav')")
        await page.press("Enter")
        await page.tab_to("at.id === 'filter-route'")
        await page.type("feed")
        await page.press("Enter")
        await page.has_text("#connections-note", "950 of 9,500 match")
        await page.tab_to("at.getAttribute('aria-label') === 'Kick connection 20'")
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await page.press("Enter")
        await page.has_text("#act-title", "Kick connection 20?")
        await page.becomes("document.activeElement.name", "code")
        await page.tab_to("at.name === 'token'", at_most=3)
        await page.type(TOKEN)
        await page.press("Enter")
        await page.has_text("#act-answer", "Connection 20 has been kicked.")
        assert admin.wait_asked("POST", "/connections/20/kick").body == {
            "code": 1008, "reason": "closed by the operator"}
        await page.becomes("document.activeElement.id", "act-close")
        await page.press("Escape")
        await page.becomes("document.activeElement.getAttribute('aria-label')", "Kick connection 20")
    on_page(admin.url, story)


def test_the_keyboard_skips_to_the_figures_and_is_told_what_they_are(admin, on_page):
    async def story(page):
        await page.live()
        await page.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.press("Enter")
        await page.becomes("document.activeElement.id", "main")
        await page.press("Tab")
        assert await page.evaluate(page.tile("Utilisation")) == await page.evaluate("document.activeElement.innerText")
        await page.becomes(f"{TIP}.hidden", False)
        assert "autoscaler" in await page.evaluate(f"{TIP}.textContent")
        assert await page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "tip"
        await page.press("Escape")
        assert await page.evaluate(f"{TIP}.hidden")
        # What gets the focus is scrolled to, and its explanation goes with it.
        await page.evaluate("""new Promise(done => {
          document.addEventListener('scroll', () => requestAnimationFrame(done), {once: true});
          document.querySelector('#shard-table th.number span').focus();
        })""")
        assert not await page.evaluate(f"{TIP}.hidden")
        top, bottom = await page.evaluate(f"[{TIP}, document.activeElement].map(one => one.getBoundingClientRect().y)")
        assert abs(top - bottom) < 60
    on_page(admin.url, story)


def test_each_figure_explains_itself(admin, on_page):
    async def story(page):
        await page.live()
        unexplained = ("[...document.querySelectorAll('#tiles b, figure b, th.number :is(span, button)')]"
                       ".filter(one => !one.dataset.why || one.tabIndex < 0).map(one => one.parentNode.innerText)")
        assert await page.evaluate(unexplained) == []
        unnamed = ("[...document.querySelectorAll('button, input, select, [tabindex]')].filter(one => !(one.innerText"
                   " || one.getAttribute('aria-label') || one.labels?.length || one.closest('dialog') || one.hidden))"
                   ".map(one => one.outerHTML)")
        assert await page.evaluate(unnamed) == []
    on_page(admin.url, story)


def test_the_last_hour_is_drawn_and_can_be_looked_back_at(admin, on_page):
    paths = "[...document.querySelectorAll('figure')].map(one => one.querySelector('path.first').getAttribute('d'))"

    async def story(page):
        await page.live()
        await page.becomes(f"{paths}[0].match(/[ML]/g).length >= 720", True)
        clients, latency = (await page.evaluate(paths))[0], (await page.evaluate(paths))[3]
        assert clients.count("M") == 1 and latency.count("M") == 2  # a gap is a gap
        await page.evaluate("document.querySelector('.plot').focus()")
        await page.press("PageUp", 2)
        seen = f"Number({page.figures_of('Clients')}[0].replace(',', ''))"
        await page.becomes(f"{seen} >= 9360 && {seen} <= 9400", True)
        await page.has_text("figure .times", ":")
        shown = await page.evaluate(page.figures_of("Clients"))
        assert shown[0] in await page.evaluate("document.querySelector('.plot').getAttribute('aria-valuetext')")
        await page.press("Escape")
        wait_until(lambda: admin.world.tick > 60, "a minute of snapshots")
        assert await page.evaluate(f"Math.max(...{paths}.map(one => one.match(/[ML]/g)?.length ?? 0)) <= 721")
    on_page(admin.url, story)


def test_a_dead_gateway_is_shown_as_dead_and_found_again(admin, on_page):
    async def story(page):
        await page.live()
        died = time.monotonic()
        admin.die()
        await page.has_text("#link", "no answer since")
        assert time.monotonic() - died < 10
        await page.has_text("#outage", "The figures below are of")
        await page.has_text("#outage", "Trying again in")
        assert float(await page.evaluate(OPACITY)) < 0.6
        assert "no answer" in await page.evaluate("document.title")
        await page.click("#filter .primary")
        await page.has_text("#connections-error", "No answer")
        admin.start()
        await page.click("#outage-try")
        await page.live()
        await page.becomes("document.querySelector('#outage').hidden", True)
        await page.has_text("#announce", "answers again")
        assert float(await page.evaluate(OPACITY)) == 1
    on_page(admin.url, story)


def test_it_is_found_again_by_itself(admin, on_page):
    async def story(page):
        await page.live()
        admin.die()
        await page.has_text("#link", "no answer since")
        admin.start()
        await page.live()
    on_page(admin.url, story)


def test_a_silent_gateway_is_not_shown_as_live(admin, on_page):
    async def story(page):
        await page.live()
        with admin.silent():
            await page.has_text("#link", "no answer since")
            assert float(await page.evaluate(OPACITY)) < 0.6
        await page.live()
        assert float(await page.evaluate(OPACITY)) == 1
    on_page(admin.url, story)


def test_a_gateway_that_is_not_there_at_first_shows_no_figure(admin, on_page):
    admin.answers["GET", "/live"] = 503, {"error": "not yet"}
    admin.answers["GET", "/snapshot"] = 503, {"error": "not yet"}

    async def story(page):
        await page.has_text("#outage-what", "not yet")
        assert set(await page.evaluate(page.figures_of("Clients"))) == {"–"}
        admin.answers.clear()
        await page.live()
    on_page(admin.url, story)


@pytest.mark.parametrize("counted", [0, 10 ** 12])
def test_another_process_does_not_make_rates_of_two(admin, on_page, counted):
    async def story(page):
        await page.live()
        admin.beats = False
        admin.world = World(pid=4712, connections=3, tick=admin.world.tick + 1, counted=counted)
        admin.tell("/live", json.dumps(admin.world.snapshot()))
        await page.has_text("#facts", "pid 4712")
        assert await page.evaluate(page.figures_of("Clients")) == ["3", "9,000"]
        assert await page.evaluate(page.figures_of("Messages a second")) == ["–", "–"]
        admin.beats = True
        await page.becomes(page.figures_of("Messages a second"), ["1,234", "4,321"])
    on_page(admin.url, story)


def test_nothing_is_done_while_the_tab_is_hidden(admin, on_page):
    hide = ("Object.defineProperty(document, 'hidden', {{configurable: true, get: () => {}}});"
            "document.dispatchEvent(new Event('visibilitychange'))")

    async def story(page):
        await page.live()
        await page.click("#log-follow")
        await page.has_text("#log-note", "following")
        await page.evaluate(hide.format("true"))
        wait_until(lambda: not admin.open["/live"] and not admin.open["/log"], "the page to leave")
        asked, tick = len(admin.asked), admin.world.tick
        await page.evaluate("""globalThis.seen = 0;
          new MutationObserver(() => ++seen).observe(document, {subtree: true, childList: true, attributes: true,
            characterData: true});""")
        while admin.world.tick < tick + 25:
            await asyncio.sleep(0.05)
        assert await page.evaluate("seen") == 0
        assert len(admin.asked) == asked
        await page.evaluate(hide.format("false"))
        await page.live()
        wait_until(lambda: admin.open["/log"], "the log to be followed again")
        await page.has_text("#log-lines", "not followed while this tab was hidden")
    on_page(admin.url, story)
