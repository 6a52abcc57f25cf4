"""What the dashboard shows and what it asks for, in headless Chromium. A stand-in for the admin listener tells
it figures that are known, hostile names too, and remembers what it was asked."""

import json

import pytest

from support.admin_stand_in import TOKEN
from support.admin_world import STEPS, World, server
from support.browser import CHROMIUM
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


def test_figures_are_those_of_the_snapshots(admin, on_page):
    async def story(page):
        await page.live()
        await page.has_text("#facts", "0.1.0 · pid 4711 · up 1 d 0 h · generation 3 · /etc/gateway/gateway.conf")
        await page.has_text("#state", "serving")
        for title, figures in {
                "Clients": ["9,500", "9,000"],
                "Messages a second": ["1,234", "4,321"],
                "Bytes a second": ["4.0 KiB", "1.0 MiB"],
                "Latency of requests": ["12.5 ms", "1.00 ms"],
                "Requests a second": ["41"],
                "WebSockets ended a second": ["5"],
                "Busiest shard": ["38 %"],
                "Held back": ["2.5"]}.items():
            await page.becomes(page.figures_of(title), figures)
        assert await page.evaluate(page.tile("Utilisation")) == "31 %"
        assert await page.evaluate(page.tile("Servers up")) == "1 of 3"
        assert await page.evaluate(page.tile("Opened a second")) == str(STEPS["websockets_opened"])
        assert await page.evaluate(page.tile("Memory")) == "512 MiB"
        assert await page.evaluate(page.tile("Batches")) == "128 KiB"
        assert await page.evaluate(page.tile("Descriptors")) == "18,500"
    on_page(admin.url, story)


def test_tables_show_what_the_snapshots_say(admin, on_page):
    async def story(page):
        await page.live()
        await page.becomes(page.rows("latency"), [
            ["request", "1.00 ms", "2.00 ms", "12.5 ms", "512"],
            ["first byte", "1.00 ms", "2.00 ms", "12.5 ms", "512"],
            ["handshake", "1.00 ms", "2.00 ms", "12.5 ms", "512"],
            ["upgrade", "–", "–", "–", "–"]])
        ended = await page.evaluate(page.rows("ended"))
        assert [(row[0], row[-1]) for row in ended] == [("done", "2,100"), ("idle", "80"), ("client-reset", "7")]
        closed = await page.evaluate(page.rows("closed"))
        assert [row[:2] + row[-1:] for row in closed] == [
            ["client", "1000", "2,000"], ["gateway", "1001", "80"], ["client", "none", "7"], ["upstream", "4xxx", "3"]]
        servers = await page.evaluate(page.rows("server-table"))
        assert [row[:6] + [row[-4], row[-1]] for row in servers] == [
            ["127.0.0.1:9001", "chat", "up", "1", "file", "4,500", "0", "Drain…"],
            ["127.0.0.1:9002", "chat", "draining", "1", "file", "4,000", "0", "Undrain…"],
            ["127.0.0.1:9003", "chat", "down", "1", "file", "500", "17", "Drain…"]]
        assert (await page.evaluate(page.rows("pool-table")))[0][:4] == ["chat", "least-connections", "1 of 3", "9,000"]
        assert (await page.evaluate(page.rows("route-table")))[1] == [
            "feed", "feed.example.com", "/feed", "none", "9,012", "0", "6,001", "3,000", "5,990", "0", "8", "0", "3",
            "121 KiB", "9.4 MiB"]
        await page.becomes(page.rows("shard-table"), [
            ["0", "25 %", "4,750", "4,500", "6", "1,000", "3.5", "1,000 of 1,024", "64.0 KiB of 1.0 MiB"],
            ["1", "38 %", "4,750", "4,500", "6", "1,000", "3.5", "1,000 of 1,024", "64.0 KiB of 1.0 MiB"]])
        assert [row[0] for row in await page.evaluate(page.rows("top-table"))] == list(map(str, range(10, 0, -1)))
    on_page(admin.url, story)


def test_endings_of_the_last_minute_are_told_apart(admin, on_page):
    async def story(page):
        await page.live()
        admin.world.ended = {**admin.world.ended, "done": 2142, "kicked": 9}
        await page.becomes(f"{page.rows('ended')}.filter(row => row[2] !== '0').map(row => [row[0], row[2], row[3]])",
                           [["done", "42", "2,142"], ["kicked", "9", "9"]])
    on_page(admin.url, story)


def test_only_what_is_wrong_is_marked(admin, on_page):
    marked = "[...document.querySelectorAll('main .wrong')].filter(one => one.offsetParent).map(one => one.innerText)"

    async def story(page):
        await page.live()
        await page.becomes(marked, ["1 of 3", "1 fail", "1 of 3", "down"])
        admin.world.pools = [{"name": "chat", "balance": "hash", "servers": [server("127.0.0.1:9001")]}]
        await page.becomes(marked, [])
    on_page(admin.url, story)


def test_filters_sorting_and_paging_ask_what_they_show(admin, on_page):
    async def story(page):
        await page.live()
        await page.becomes(f"{page.rows('connection-table')}.length", 25)
        assert admin.wait_asked("GET", "/connections").query == {"sort": "id", "limit": "25"}
        fields = {"kind": "websocket", "route": "chat", "pool": "chat", "server": "127.0.0.1:9002",
                  "listener": "0.0.0.0:443", "client": "192.0.2.0/25", "age": "10m", "idle": "1m",
                  "buffered": "1KiB", "message_rate": "20"}
        for name, value in fields.items():
            await page.fill(f"#filter-{name}", value)
        await page.click("#filter button.primary")
        rows = admin.world.matching(fields)
        await page.has_text("#connections-note", f"{len(rows):,} of 9,500 match")
        assert admin.wait_asked("GET", "/connections").query == {**fields, "sort": "id", "limit": "25"}
        ids = [str(row["id"]) for row in rows]
        first = f"{page.rows('connection-table')}.map(row => row[0])"
        await page.becomes(first, ids[:25])
        await page.click("#page-next")
        await page.becomes(first, ids[25:50])
        assert admin.wait_asked("GET", "/connections").query == {
            **fields, "sort": "id", "limit": "25", "after": "25"}
        await page.has_text("#page-note", "26 to 50")
        await page.click("#page-before")
        await page.becomes(first, ids[:25])
        await page.click("#connection-table th:nth-child(9) button")
        rows.sort(key=lambda row: -row["messages_per_second"])
        await page.becomes(first, [str(row["id"]) for row in rows[:25]])
        assert await page.evaluate("document.querySelector('#connection-table th:nth-child(9)').ariaSort"
                                   ) == "descending"
        assert admin.wait_asked("GET", "/connections").query["sort"] == "-rate"
    on_page(admin.url, story)


def test_a_filter_that_is_none_shows_what_the_gateway_says_of_it(admin, on_page):
    async def story(page):
        await page.live()
        await page.fill("#filter-idle", "soon")
        await page.click("#filter button.primary")
        await page.has_text("#connections-error", "'soon' is none of")
        await page.click("#filter-clear")
        await page.becomes("document.querySelector('#connections-error').hidden", True)
    on_page(admin.url, story)


def test_one_connection_is_shown_whole(admin, on_page):
    async def story(page):
        await page.live()
        await page.becomes(f"{page.rows('connection-table')}.length", 25)
        await page.click("#connection-table tbody tr:nth-child(7) button")
        await page.has_text("#detail-title", "Connection 7")
        facts = "Object.fromEntries([...document.querySelectorAll('#detail dl > div')]" \
                ".map(pair => [...pair.children].map(one => one.textContent)))"
        await page.becomes(f"{facts}['tls group']", "X25519MLKEM768")
        shown = await page.evaluate(facts)
        assert shown["client"] == "192.0.2.7" and shown["port"] == "20007" and shown["age"] == "1 min 7 s"
        assert shown["messages from upstream"] == "14" and shown["wire bytes"] == "2.0 KiB"
        admin.world.connections = 6
        await page.click("#detail-again")
        await page.has_text("#detail-error", "It is not there any more.")
    on_page(admin.url, story)


def test_a_kick_asks_first_and_sends_token_code_and_reason(admin, on_page):
    async def story(page):
        await page.live()
        await page.becomes(f"{page.rows('connection-table')}.length", 25)
        await page.click("#connection-table tbody tr:nth-child(5) td:last-child button")
        await page.has_text("#act-title", "Kick connection 5?")
        assert not [one for one in admin.asked if one.method == "POST"]
        await page.fill("#act [name=code]", "4001")
        await page.fill("#act [name=reason]", "maintenance")
        await page.fill("#act [name=token]", "wrong")
        await page.click("#act-go")
        await page.has_text("#act-answer.wrong", "the token lacks or is wrong")
        await page.fill("#act [name=token]", TOKEN)
        await page.click("#act-go")
        await page.has_text("#act-answer", "Connection 5 has been kicked.")
        asked = admin.wait_asked("POST", "/connections/5/kick")
        assert asked.token == TOKEN and asked.body == {"code": 4001, "reason": "maintenance"}
        assert await page.evaluate("sessionStorage.getItem('gateway-token')") == TOKEN
        assert await page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    on_page(admin.url, story)


def test_those_of_a_filter_are_kicked_after_their_number_was_said(admin, on_page):
    admin.world.special = {20: {"kind": "idle"}, 30: {"kind": "tunnel"}}

    async def story(page):
        await page.live()
        await page.evaluate(f"sessionStorage.setItem('gateway-token', '{TOKEN}')")
        await page.fill("#filter-route", "feed")
        await page.click("#kick-all")
        await page.has_text("#act-title", "Kick 949 WebSockets and tunnels?")
        await page.has_text("#act-text", "All that match now: route feed.")
        await page.fill("#act [name=code]", "4001")
        await page.click("#act-go")
        await page.has_text("#act-answer", "949 have been kicked.")
        assert admin.wait_asked("POST", "/connections/kick").body == {
            "route": "feed", "code": 4001, "reason": "closed by the operator", "rate": 500}
    on_page(admin.url, story)


def test_everybody_is_kicked_only_by_who_says_so_twice(admin, on_page):
    async def story(page):
        await page.live()
        await page.evaluate(f"sessionStorage.setItem('gateway-token', '{TOKEN}')")
        await page.click("#kick-all")
        await page.has_text("#act-text", "this means everybody")
        await page.click("#act-go")
        assert await page.evaluate("document.querySelector('#act [name=sure]').validity.valueMissing")
        assert not [one for one in admin.asked if one.method == "POST"]
        await page.click("#act [name=sure]")
        await page.click("#act-go")
        await page.has_text("#act-answer", "9,500 have been kicked.")
        assert admin.wait_asked("POST", "/connections/kick").body["all"] is True
    on_page(admin.url, story)


def test_servers_are_drained_and_undrained(admin, on_page):
    async def story(page):
        await page.live()
        await page.evaluate(f"sessionStorage.setItem('gateway-token', '{TOKEN}')")
        await page.click("[aria-label='Drain server 127.0.0.1:9001 of pool chat']")
        await page.has_text("#act-title", "Drain server 127.0.0.1:9001?")
        await page.fill("#act [name=over]", "5s")
        await page.click("#act-go")
        await page.has_text("#act-answer", "Done.")
        assert admin.wait_asked("POST", "/pools/chat/drain").body == {
            "server": "127.0.0.1:9001", "over": "5s", "code": 1001}
        await page.click("#act-close")
        await page.click("[aria-label='Undrain server 127.0.0.1:9002 of pool chat']")
        await page.click("#act-go")
        await page.has_text("#act-answer", "Done.")
        assert admin.wait_asked("POST", "/pools/chat/undrain").body == {"server": "127.0.0.1:9002"}
    on_page(admin.url, story)


def test_the_level_of_the_log_is_set_by_who_says_so(admin, on_page):
    admin.answers["PUT", "/log/level"] = 200, {"done": True, "lines": ["the log has level debug until a reload"]}

    async def story(page):
        await page.live()
        await page.click("#log-level")
        await page.has_text("#act-title", "Set the level of the log?")
        assert await page.evaluate("document.querySelector('#act [name=level]').value") == "info"
        assert not [one for one in admin.asked if one.method == "PUT"]
        await page.fill("#act [name=level]", "debug")
        await page.fill("#act [name=token]", TOKEN)
        await page.click("#act-go")
        await page.has_text("#act-answer", "the log has level debug until a reload")
        asked = admin.wait_asked("PUT", "/log/level")
        assert asked.token == TOKEN and asked.body == {"level": "debug"}
    on_page(admin.url, story)


def test_only_a_websocket_can_be_captured_and_that_asks_first(admin, on_page):
    admin.world.special = {2: {"kind": "idle"}}
    path = "/connections/3/capture"

    async def story(page):
        await page.live()
        await page.becomes(f"{page.rows('connection-table')}.length", 25)
        await page.evaluate("saved = []; HTMLAnchorElement.prototype.click = function() {"
                            "  saved.push([this.download, this.href.split(':')[0]]);"
                            "}")
        await page.click("#connection-table tbody tr:nth-child(2) button")
        await page.has_text("#detail-facts", "idle")
        assert await page.evaluate("document.querySelector('#detail-capture').hidden")
        await page.click("#detail-close")
        await page.click("#connection-table tbody tr:nth-child(3) button")
        await page.becomes("document.querySelector('#detail-capture').hidden", False)
        await page.click("#detail-capture")
        await page.has_text("#act-title", "Capture the frames of connection 3?")
        assert not [one for one in admin.asked if one.method == "POST"]
        admin.answers["POST", path] = 409, {"error": "this is no open WebSocket: nothing else has frames"}
        await page.fill("#act [name=token]", TOKEN)
        await page.click("#act-go")
        await page.has_text("#act-answer.wrong", "this is no open WebSocket")
        admin.answers["POST", path] = 200, b'{"from":"client"}\n' * 100
        await page.fill("#act [name=for]", "1m")
        await page.click("#act-go")
        await page.has_text("#act-answer", "1.8 KiB are saved as connection-3.ndjson.")
        assert admin.wait_asked("POST", path).body == {"for": "1m", "format": "lines"}
        assert await page.evaluate("saved") == [["connection-3.ndjson", "blob"]]
    on_page(admin.url, story)


def test_a_reload_shows_its_lines_or_its_errors(admin, on_page):
    error = "gateway.conf:7:1: unknown key 'adress'; did you mean 'address'?"

    async def story(page):
        await page.live()
        await page.evaluate(f"sessionStorage.setItem('gateway-token', '{TOKEN}')")
        await page.click("#reload")
        await page.click("#act-go")
        await page.has_text("#act-answer", "pool chat: a server more, 127.0.0.1:9004\n1 change")
        await page.click("#act-close")
        admin.answers["POST", "/reload"] = 422, {"done": False, "lines": [error]}
        await page.click("#reload")
        await page.click("#act-go")
        await page.has_text("#act-answer.wrong", error)
    on_page(admin.url, story)


def test_what_is_hostile_is_shown_as_text(admin, on_page):
    world = admin.world
    world.special = {number: {"request": f"GET {HOSTILE}", "route": HOSTILE, "server": HOSTILE, "client": HOSTILE}
                     for number in range(1, 12)}
    world.pools = [{"name": HOSTILE, "balance": HOSTILE, "servers": [server(HOSTILE, pool=HOSTILE, state=HOSTILE)]}]
    world.routes = [{**world.routes[0], "name": HOSTILE, "hosts": [HOSTILE], "path": HOSTILE}]
    world.ended = {HOSTILE: 1}
    world.closed = {HOSTILE: {HOSTILE: 1}}
    world.state = HOSTILE

    async def story(page):
        await page.live()
        await page.becomes(f"{page.rows('connection-table')}[0][4]", HOSTILE)
        for table, column in {"server-table": 0, "route-table": 0, "ended": 0, "closed": 1, "top-table": 3}.items():
            assert (await page.evaluate(page.rows(table)))[0][column] == HOSTILE
        await page.click("#connection-table tbody button")
        await page.has_text("#detail-facts", HOSTILE)
        await page.click("#detail-close")
        await page.click("#log-follow")
        wait_until(lambda: admin.open["/log"], "the log to be followed")
        admin.tell("/log", HOSTILE)
        await page.has_text("#log-lines", HOSTILE)
        assert await page.evaluate("document.querySelectorAll('img, main script').length") == 0
        assert "taken" not in await page.evaluate("document.title")
    on_page(admin.url, story)


def test_the_log_is_followed_and_bounded(admin, on_page):
    async def story(page):
        await page.live()
        await page.click("#log-follow")
        await page.has_text("#log-note", "following")
        wait_until(lambda: admin.open["/log"], "the log to be followed")
        for number in range(2000):
            admin.tell("/log", f"info line {number} {'odd' if number % 2 else 'even'}")
        await page.becomes("document.querySelector('#log-lines').lastChild?.textContent", "info line 1999 odd")
        assert await page.evaluate("document.querySelector('#log-lines').children.length") <= 500
        await page.fill("#log-find", "even")
        shown = await page.evaluate("[...document.querySelectorAll('#log-lines li')].filter(one => !one.hidden)"
                                    ".every(one => one.textContent.includes('even'))")
        assert shown
        await page.click("#log-follow")
        wait_until(lambda: not admin.open["/log"], "the log to be left")
    on_page(admin.url, story)


def test_a_gateway_without_a_log_tail_says_so(admin, on_page):
    admin.has_log = False

    async def story(page):
        await page.live()
        await page.click("#log-follow")
        await page.has_text("#log-note", "shows no log here")
    on_page(admin.url, story)


def test_reading_that_needs_the_token_asks_for_it(admin, on_page):
    admin.reads_need_token = True

    async def story(page):
        await page.has_text("#outage-what", "the token lacks or is wrong")
        # Each try would be a line of the gateway's log.
        assert await page.evaluate("live.tryAt") is None
        assert "Trying" not in await page.evaluate("document.querySelector('#outage-more').textContent")
        await page.click("#outage-token")
        await page.fill("#token-text", "not a token")
        await page.click("#token-dialog .primary")
        await page.has_text("#token-error", "A token has only")
        await page.fill("#token-text", TOKEN)
        await page.click("#token-dialog .primary")
        await page.live()
        assert admin.wait_asked("GET", "/live").protocols == ("gateway.live", f"bearer.{TOKEN}")
    on_page(admin.url, story)


def test_a_world_of_ten_thousand_stays_small(admin, on_page):
    admin.world = World(connections=10_000, shards=8, pools=[
        {"name": f"pool-{one}", "balance": "hash", "servers": [
            server(f"10.0.{one}.{two}:80", pool=f"pool-{one}") for two in range(20)]} for one in range(50)])

    async def story(page):
        await page.live()
        await page.becomes(f"{page.rows('server-table')}.length", 200)
        await page.has_text("#servers-note", "the first 200 of 1,000")
        nodes = await page.evaluate("document.querySelectorAll('*').length")
        # When it drew, by its own clock: observers may be told late.
        moments = await page.evaluate("""new Promise(done => {
          const moments = [];
          new MutationObserver(() => {
            if (moments.push(drawing.at) === 4) done(moments);
          }).observe(document.querySelector('.plot path.first'), {attributes: true});
        })""")
        assert all(later - earlier >= 1000 for earlier, later in zip(moments, moments[1:])), moments
        assert await page.evaluate("document.querySelectorAll('*').length") <= nodes + 20
        await page.fill("#servers-find", "10.0.49.1")
        await page.becomes(f"{page.rows('server-table')}.length", 11)
    on_page(admin.url, story)
    assert json.dumps(admin.world.snapshot()).count("10.0.") >= 1000
