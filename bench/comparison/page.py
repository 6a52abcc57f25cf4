"""docs/performance.md: tables, a sentence for each row, the rows in which the gateway is not ahead,
and how it was measured. A function from the JSON's document to text.
"""

from comparison import builds, figures, straight
from comparison.proxies import TITLES
from comparison.rows import GATEWAY, not_ahead, noise, rows_of, sentence
from comparison.scenarios import CPU, LATENCY, MEMORY

_HEADINGS = {
    CPU: ("Processor time", "Microseconds of the proxy's processor time for one message, request "
          "or handshake: what a core has to give. Less is better."),
    MEMORY: ("Memory", "Resident bytes that the proxy's process grows by for one connection; what "
             "the kernel holds for its sockets is not in it. Less is better."),
    LATENCY: ("Latency at a fixed rate", "p99 from when a message was due, in microseconds, all "
              "proxies at the same rate. Less is better."),
}


def page(document, pictures, choices=None):
    """`pictures`: (title, path relative to the page) of each chart. `choices`: the path of a page
    on what was tried."""
    rows = rows_of(document)
    parts = ["# Performance", _about(document, rows)]
    if choices:
        parts += [f"[What each choice has gained, and how the cost of a message grows]({choices})"]
    parts += [f"![{title}]({path})" for title, path in pictures]
    for compares, (heading, explained) in _HEADINGS.items():
        chosen = [row for row in rows if row.compares == compares]
        if chosen:
            parts += [f"## {heading}", explained, comparison_table(document, chosen),
                      "\n".join(f"- {row.title}: {sentence(row)}" for row in chosen)]
    parts += _closing(document, rows)
    return "\n\n".join(parts) + "\n"


def _about(document, rows):
    names = ", ".join(TITLES[name] for name in document["proxies"])
    return " ".join([
        f"What `bench/compare` has measured of {names}: one worker, thread or shard each, on one "
        f"core, in turns, {_rounds(document)} of {document['seconds']:g} s.",
        noise(rows), *warnings(document)])


def warnings(document):
    """Sentences on what makes all figures worth less."""
    said = []
    if document.get("interrupted"):
        said.append("The measurement was interrupted: scenarios are missing.")
    if document["machine"].get("shares_core"):
        said.append("The machine has one core in hardware, of two threads, for proxy and "
                    "generator together: what a message costs the proxy depends on what the "
                    "generator does meanwhile, in every row.")
    build = document.get("build", {})
    if build.get("as_it_is"):
        hindrance = builds.hindrance_of(build["options"])
        said.append("The gateway was not built for this, but measured as it was"
                    f"{f', with {hindrance}: no release build' if hindrance else ''}.")
    return said


def _rounds(document):
    """Those that there were: time may have been up before."""
    found = sorted({len(runs) for entry in document["scenarios"]
                    for runs in entry.get("runs", {}).values() if runs})
    if not found:
        return "no round"
    numbers = f"{found[0]}" if len(found) == 1 else f"{found[0]} to {found[-1]}"
    return f"{numbers} round{'s' if found[-1] > 1 else ''}"


def comparison_table(document, rows):
    """With the median of each proxy; the ratio is that to the better nginx, pair by pair."""
    names = document["proxies"]
    lines = [_line(["", *(TITLES[name] for name in names), "ratio to nginx", "pairs", ""]),
             _line(["---", *["---:"] * (len(names) + 2), "---"])]
    for row in rows:
        values = [_value(row.values.get(name)) for name in names]
        ratio = row.nginx_ratio
        lines.append(_line([row.title, *values, f"{ratio.median:.2f}" if ratio else "-",
                            f"{ratio.low:.2f}-{ratio.high:.2f}" if ratio else "-",
                            "not measured" if row.skipped else row.standing]))
    return "\n".join(lines)


def _value(summary):
    """The median, and in brackets how far the rounds lie apart."""
    if summary is None:
        return "-"
    text = figures.significant(summary.median)
    return f"{text} (±{summary.spread / 2:.0%})" if summary.spread else text


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def detail_table(document, rows):
    lines = [_line(["", "proxy", "a second", "core", "p50 us", "p99 us", "p99.9 us", "peak MB",
                    "system calls"]),
             _line(["---", "---", *["---:"] * 7])]
    for row in rows:
        for name in document["proxies"]:
            if row.runs.get(name):
                lines.append(_line([row.title, TITLES[name], *_details(row, name)]))
    return "\n".join(lines)


def _details(row, name):
    share = row.median(name, "core_share")
    peak = row.median(name, "resident_bytes")
    cells = [figures.significant(row.median(name, "rate")),
             "-" if share is None else f"{share:.0%}"]
    cells += [figures.significant(row.median(name, key))
              for key in ("p50_us", "p99_us", "p99.9_us")]
    calls = row.system_calls.get(name)
    return cells + [figures.significant(peak / 1e6 if peak else None),
                    "-" if calls is None else f"{calls:.3f}"]


def _closing(document, rows):
    behind = not_ahead(rows)
    parts = ["## Where the gateway is not ahead"]
    parts.append("\n".join(f"- {row.title}: {row.standing}, {_worst(row)}" for row in behind)
                 or "In none of the rows that were measured.")
    parts += ["## Rates, latency, memory, system calls",
              "Medians. \"core\" is how much of its core the proxy has used: below 100 % the rate "
              "is the generator's or the backend's. System calls are those for one message. "
              + _calls(rows),
              detail_table(document, [row for row in rows if not row.skipped])]
    alone = straight.sentence(document, rows)
    parts += ["## The generator itself", alone] if alone else []
    return parts + ["## How", _how(document)]


def _worst(row):
    if row.standing == "failed":
        return f"{' '.join(row.failed[GATEWAY].split())}"
    ratio, name = max(((figures.summarize(ratios), name) for name, ratios in row.ratios.items()
                       if ratios), key=lambda one: one[0].high)
    pairs = f" (pairs {ratio.low:.2f}-{ratio.high:.2f})" if ratio.low < ratio.high else ""
    return f"{ratio.median:.2f} of {TITLES[name]}{pairs}"


def _calls(rows):
    counted = any(value is not None for row in rows for value in row.system_calls.values())
    return ("They were counted by perf in runs of their own." if counted else
            "They were not counted: that takes perf, leave to use its tracepoints, and a run "
            "without --quick.")


def _how(document):
    machine = document["machine"]
    generator = "SCHED_FIFO" if machine["generator_real_time"] else "no real-time priority"
    commit = document.get("build", {}).get("commit")
    of_build = {"gateway": f" (commit {commit})"} if commit else {}
    versions = "; ".join(f"{name} {version}{of_build.get(name, '')}"
                         for name, version in document["versions"].items())
    return "\n".join([
        f"- {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_bytes'] / 1e9:.1f} GB, Linux {machine['kernel']}; "
        f"{machine['busy_before']:.0%} of it at work before.",
        f"- The proxy has core {_cores(machine['proxy_cores'])}, gateway-load core "
        f"{_cores(machine['load_cores'])} ({generator}), gateway-echo core "
        f"{_cores(machine['backend_cores'])}.",
        f"- {versions}.",
        "- Configurations are those of bench/comparison/configurations.py; the same ECDSA P-256 "
        "certificate, TLS 1.3, AES-128-GCM, X25519. The gateway also validates every WebSocket "
        "frame and text.",
        "- Processor time is the process's own clock, read at the borders of the measured window.",
        "- Every second round goes through the proxies backwards; a run that fails is repeated "
        "once.",
        f"- A ratio is that of two runs of one round; (±) is half of what rounds differ by. "
        f"Measured at {document['began']}, in {document['minutes']:.0f} minutes, by "
        f"`{document['command']}`."])


def _cores(cores):
    return ", ".join(map(str, cores))


def summary_text(document):
    """For the terminal: a row a line, then what stands out."""
    rows = rows_of(document)
    wide = max((len(row.title) for row in rows), default=0)
    lines = []
    for row in rows:
        ours = row.values.get(GATEWAY)
        value = "" if ours is None else f"{figures.significant(ours.median)} {row.figure_unit}"
        ratio = ""
        if row.nginx_ratio:
            ratio = f"{row.nginx_ratio.median:.2f} of {TITLES[row.best_nginx]}"
        state = f"not measured: {row.skipped}" if row.skipped else row.standing
        lines.append(f"{row.title:{wide}}  {value:>12}  {ratio:22}  {state}"
                     f"{', noisy' if row.is_noisy else ''}")
    behind = not_ahead(rows)
    lines += ["", noise(rows), *warnings(document),
              "not ahead in: " + (", ".join(row.name for row in behind) or "no row")]
    return "\n".join(lines)
