"""The dashboard of a real gateway: what it shows is what clients did, and what it asks for happens to them."""

import asyncio

import pytest
import websockets

from support.browser import CHROMIUM
from support.checking import run as run_gateway
from support.gateway import Config
from support.ports import free_port
from support.relay import dial

TOKEN = "0123456789abcdef0123456789abcdef"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.fixture
def front(start_gateway, echo, tmp_path):
    """A gateway with an admin listener, before the echo backend."""
    port = free_port()
    (tmp_path / "admin.token").write_text(TOKEN + "\n")
    config = Config({"echo": echo.port}, [{"name": "echo", "pool": "echo"}],
                    top={"admin": {"address": f"127.0.0.1:{port}", "token_file": "admin.token"}})
    (tmp_path / "asked.conf").write_text(config.text())
    if "admin" in run_gateway("-t", "-c", tmp_path / "asked.conf").stderr:
        pytest.skip("needs [admin]")
    gateway = start_gateway(config)
    gateway.admin_url = f"http://127.0.0.1:{port}/"
    return gateway


async def open_some(gateway, count, messages=0):
    sockets = [await dial(gateway, secure=False) for _ in range(count)]
    for socket in sockets:
        for number in range(messages):
            await socket.send(f"message {number}")
            await socket.recv()
    return sockets


async def ending_of(socket):
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await socket.recv()
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def ready(page):
    await page.live()
    await page.evaluate(f"sessionStorage.setItem('gateway-token', '{TOKEN}')")


def test_figures_are_those_of_the_clients(front, on_page):
    async def story(page):
        await ready(page)
        sockets = await open_some(front, 12, messages=5)
        await page.becomes(page.figures_of("Clients"), ["12", "12"])
        await page.becomes(f"{page.rows('route-table')}.map(row => row[0] + row[4])", ["echo12"])
        await page.becomes(f"{page.rows('server-table')}.map(row => row[2] + row[5])", ["up12"])
        totals = await page.evaluate("fetch('snapshot').then(answer => answer.json()).then(one => one.totals)")
        assert (totals["messages_from_client"], totals["messages_from_upstream"]) == (60, 60)
        for socket in sockets[:3]:
            await socket.close(1000)
        for socket in sockets[3:5]:
            await socket.close(4002)
        await page.becomes(page.figures_of("Clients"), ["7", "7"])
        await page.becomes(f"{page.rows('closed')}.map(row => [row[0], row[1], row[4]])",
                           [["client", "1000", "3"], ["client", "4xxx", "2"]])
        await page.fill("#filter-kind", "websocket")
        await page.click("#filter .primary")
        await page.becomes(f"{page.rows('connection-table')}.length", 7)
        rows = await page.evaluate(page.rows("connection-table"))
        assert {(row[1], row[4], row[9]) for row in rows} == {("websocket", "echo", "5 / 5")}
        ports = {f"127.0.0.1:{socket.local_address[1]}" for socket in sockets[5:]}
        assert {row[2] for row in rows} == ports
        for socket in sockets[5:]:
            await socket.close()
    on_page(front.admin_url, story)


def test_who_is_kicked_is_told_code_and_reason(front, on_page):
    async def story(page):
        await ready(page)
        sockets = await open_some(front, 4)
        await page.fill("#filter-kind", "websocket")
        await page.click("#filter .primary")
        await page.becomes(f"{page.rows('connection-table')}.length", 4)
        client = (await page.evaluate(page.rows("connection-table")))[1][2]
        kicked = next(one for one in sockets if client.endswith(f":{one.local_address[1]}"))
        await page.click("#connection-table tbody tr:nth-child(2) td:last-child button")
        await page.fill("#act [name=code]", "4001")
        await page.fill("#act [name=reason]", "maintenance")
        await page.click("#act-go")
        await page.has_text("#act-answer", "has been kicked")
        assert await ending_of(kicked) == (4001, "maintenance")
        await page.click("#act-close")
        await page.becomes(f"{page.rows('connection-table')}.length", 3)
        await page.click("#kick-all")
        await page.has_text("#act-title", "Kick 3 connections?")
        await page.fill("#act [name=code]", "4003")
        await page.click("#act-go")
        await page.has_text("#act-answer", "3 have been kicked.")
        rest = [one for one in sockets if one is not kicked]
        assert await asyncio.gather(*map(ending_of, rest)) == [(4003, "closed by the operator")] * 3
        await page.becomes(f"{page.rows('ended')}.map(row => [row[0], row[3]])", [["kicked", "4"]])
    on_page(front.admin_url, story)


def test_a_reload_shows_what_has_changed_or_what_is_wrong(front, on_page):
    async def story(page):
        await ready(page)
        text = front.file.read_text()
        front.file.write_text(text.replace('name = "echo"', 'name = "renamed"'))
        await page.click("#reload")
        await page.click("#act-go")
        await page.has_text("#act-answer", "renamed")
        await page.becomes(f"{page.rows('route-table')}.map(row => row[0])", ["renamed"])
        await page.click("#act-close")
        front.file.write_text(text + "[nonsense]\n")
        await page.click("#reload")
        await page.click("#act-go")
        await page.has_text("#act-answer.wrong", "nonsense")
    on_page(front.admin_url, story)


def test_a_server_is_drained_and_undrained(front, on_page):
    states = "[...document.querySelectorAll('#server-table tbody tr')].map(row => row.cells[2].textContent)"

    async def story(page):
        await ready(page)
        for verb, state in {"Drain": "draining", "Undrain": "up"}.items():
            await page.click(f"#server-table [aria-label^='{verb} server']")
            await page.click("#act-go")
            await page.has_text("#act-close", "Close")
            await page.click("#act-close")
            await page.becomes(states, [state])
    on_page(front.admin_url, story)


def test_frames_are_captured_and_the_level_of_the_log_is_set(front, on_page):
    async def story(page):
        await ready(page)
        socket, = await open_some(front, 1)
        await page.evaluate("""(() => {
          const asks = window.fetch;
          window.captures = false;
          window.fetch = async (path, ...more) => {
            const answer = await asks(path, ...more);
            window.captures ||= path.endsWith('/capture') && answer.ok;
            return answer;
          };
          const makes = URL.createObjectURL;
          window.saved = '';
          URL.createObjectURL = blob => {
            blob.text().then(text => window.saved = text);
            return makes.call(URL, blob);
          };
          HTMLAnchorElement.prototype.click = () => {};
        })()""")
        await page.fill("#filter-kind", "websocket")
        await page.click("#filter .primary")
        await page.becomes(f"{page.rows('connection-table')}.map(row => row[1])", ["websocket"])
        await page.click("#connection-table tbody tr:nth-child(1) button")
        await page.click("#detail-capture:not([hidden])")
        await page.fill("#act [name=for]", "10m")
        await page.click("#act-go")
        await page.becomes("captures", True)
        await socket.send("captured")
        await socket.recv()
        await socket.close(1000)
        await page.has_text("#act-answer", "are saved as connection-")
        await page.becomes("saved.split('\\n').filter(Boolean).map(JSON.parse).filter(one => one.from === 'client')"
                           ".map(one => [one.opcode, one.bytes])", [["text", 8], ["close", 2]])
        await page.click("#act-close")
        await page.click("#detail-close")
        await page.click("#log-level")
        await page.fill("#act [name=level]", "debug")
        await page.click("#act-go")
        await page.has_text("#act-answer", "the log has level debug until a reload changes it")
    on_page(front.admin_url, story)


def test_a_wrong_token_changes_nothing(front, on_page):
    async def story(page):
        await page.live()
        await page.click("#reload")
        await page.fill("#act [name=token]", TOKEN[::-1])
        await page.click("#act-go")
        await page.has_text("#act-answer.wrong", "token")
        await page.becomes("document.activeElement.name", "token")
    on_page(front.admin_url, story)


def test_one_that_stands_still_and_one_that_is_killed_are_no_longer_live(front, on_page):
    async def story(page):
        await page.live()
        with front.paused():
            await page.has_text("#link", "no answer since")
        await page.live()
        front.kill()
        await page.has_text("#link", "no answer since")
        await page.has_text("#outage", "Trying again")
    on_page(front.admin_url, story)
