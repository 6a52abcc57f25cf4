"""What the generator itself costs: gateway-load against gateway-echo, one core each and no proxy
between, beside what nginx needs to pass the same messages on. A generator that costs more than a
proxy could not measure one.
"""

from comparison import figures
from comparison.measurement import start_backend
from comparison.programs import FAILURES
from comparison.proxies import GATEWAY, TITLES
from comparison.scenarios import BY_NAME

SCENARIO = "echo-64-100-ws"


def measure(plan, echo_binary):
    """{"scenario", "runs": [{"rate", "cpu_us"}]}, or {"scenario", "skipped": why}."""
    scenario = BY_NAME[SCENARIO]
    plan.say(f"gateway-load straight to gateway-echo: {scenario.title}")
    runs = []
    try:
        echo, port = start_backend(echo_binary, plan.folder, plan.cores.proxy)
        try:
            for _ in range(plan.rounds):
                found = plan.load.run(scenario, f"ws://127.0.0.1:{port}{scenario.path}",
                                      plan.seconds, None)
                runs.append({"rate": found.rate, "cpu_us": found.generator_us})
                plan.say(f"  {found.generator_us:.2f} us a message, {found.rate:.0f}/s")
        finally:
            echo.stop()
    except FAILURES as reason:
        plan.say(f"  skipped: {reason}")
        return {"scenario": SCENARIO, "skipped": str(reason)}
    return {"scenario": SCENARIO, "runs": runs}


def sentence(document, rows):
    """For the page; beside the proxies but the gateway, where their row was measured."""
    straight = document.get("straight") or {}
    if not straight.get("runs"):
        return f"It was not measured: {straight['skipped']}" if "skipped" in straight else None
    cost = figures.summarize([run["cpu_us"] for run in straight["runs"]])
    rate = figures.summarize([run["rate"] for run in straight["runs"]])
    text = (f"{BY_NAME[straight['scenario']].title}, straight to gateway-echo with a core each: "
            f"{figures.significant(rate.median)} messages a second, for each of which gateway-load "
            f"needs {figures.significant(cost.median)} us.")
    for row in rows:
        if row.name != straight["scenario"]:
            continue
        others = [f"{TITLES[name]} {figures.significant(row.values[name].median)} us"
                  for name in document["proxies"] if name != GATEWAY and row.values.get(name)]
        text += f" To pass on one takes {', '.join(others)}." if others else ""
    return text
