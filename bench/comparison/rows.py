"""From runs to rows: each scenario's figures, the ratios to the others, and a sentence that says
what they mean. A row that was not measured says why.
"""

from dataclasses import dataclass, field

from comparison import figures
from comparison.proxies import GATEWAY, HAPROXY, NGINX, TITLES
from comparison.scenarios import CPU, LATENCY, MEMORY

# The run's figure by which a row compares, what it is called, and its unit.
FIGURES = {CPU: ("cpu_us", "us"), MEMORY: ("bytes_each", "B"), LATENCY: ("p99_us", "us")}
# A proxy that has used less of its core did not set the rate: generator and backend did.
BUSY_SHARE = 0.9
_NOT_COMPARED = ("seconds", "generator_limited", "throttled")


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    unit: str
    compares: str
    values: dict         # by proxy: Summary, or None
    ratios: dict         # by other proxy: the pairs' ratios, ours to theirs
    best_nginx: str | None
    runs: dict
    system_calls: dict   # by proxy, for one
    rate: float | None = None        # of the open loop
    rate_share: float | None = None  # of nginx's in the closed one
    skipped: str | None = None
    failed: dict = field(default_factory=dict)  # why, by proxy
    repeated: dict = field(default_factory=dict)  # likewise, of runs

    @property
    def figure_unit(self):
        return FIGURES[self.compares][1]

    @property
    def nginx_ratio(self):
        """To whichever nginx needs less here."""
        return figures.summarize(self.ratios.get(self.best_nginx, []))

    @property
    def standing(self):
        """Against the best of the others: the worst of what is said of each. A gateway that was
        not up to it is not ahead, either."""
        if GATEWAY in self.failed:
            return "failed"
        said = [figures.standing(ratios) for ratios in self.ratios.values() if ratios]
        for word in ("behind", "level", "ahead"):
            if word in said:
                return word
        return "unknown"

    @property
    def is_noisy(self):
        return any(figures.is_noisy(ratios) for ratios in self.ratios.values())

    @property
    def has_one_round(self):
        return max(map(len, self.ratios.values()), default=0) == 1

    def median(self, proxy, key):
        summary = figures.summarize([run.get(key) for run in self.runs.get(proxy, [])])
        return summary.median if summary else None


def summary_of(entry):
    """For the JSON: of each figure the median and spread of each proxy, and our ratios to it, pair
    by pair."""
    runs = entry.get("runs", {})
    keys = next((list(found[0]) for found in runs.values() if found), [])
    return {key: {name: _of_one(key, runs.get(GATEWAY, []), found)
                  for name, found in runs.items() if found}
            for key in keys if key not in _NOT_COMPARED}


def _of_one(key, ours, theirs):
    values = [run[key] for run in theirs]
    ratios = figures.pair_ratios([run[key] for run in ours], values)
    return {"values": figures.as_dictionary(values), "gateway_to_it": figures.as_dictionary(ratios),
            "pairs": ratios}


def rows_of(document):
    return [row_of(entry) for entry in document["scenarios"]]


def row_of(entry):
    runs = entry.get("runs", {})
    key = FIGURES[entry["compares"]][0]
    series = {name: [run[key] for run in found] for name, found in runs.items()}
    values = {name: figures.summarize(found) for name, found in series.items()}
    ours = series.get(GATEWAY, [])
    ratios = {name: figures.pair_ratios(ours, theirs) for name, theirs in series.items()
              if name != GATEWAY}
    nginx = [name for name in NGINX if values.get(name)]
    return Row(name=entry["name"], title=entry["title"], unit=entry["unit"],
               compares=entry["compares"], values=values, ratios=ratios,
               best_nginx=min(nginx, key=lambda name: values[name].median, default=None),
               runs=runs, system_calls=entry.get("system_calls") or {},
               rate=entry.get("rate"), rate_share=entry.get("rate_share"),
               skipped=entry.get("skipped"), failed=entry.get("failed", {}),
               repeated=entry.get("repeated", {}))


def sentence(row):
    """What the row says, for people."""
    if row.skipped:
        return f"Not measured: {' '.join(row.skipped.split())}."
    ours = row.values.get(GATEWAY)
    if ours is None:
        return ". ".join(["The gateway was not measured", *_failures(row)]) + "."
    said = [_opening(row, ours)]
    against = [_against(row, name) for name in (row.best_nginx, HAPROXY) if row.ratios.get(name)]
    if against:
        said[0] += ": " + " and ".join(against)
        said.append(_verdict(row))
    said += _remarks(row)
    return ". ".join(said) + "."


def _failures(row):
    return [f"{TITLES[name]} failed: {' '.join(reason.split())}"
            for name, reason in row.failed.items()]


def _opening(row, ours):
    value = f"{figures.significant(ours.median)} {row.figure_unit}"
    if row.compares == MEMORY:
        return f"The gateway holds {value} for one {row.unit}"
    if row.compares == LATENCY:
        return (f"At {figures.significant(row.rate)} {row.unit}s a second, 99 % of the gateway's "
                f"are back within {value}")
    return f"The gateway needs {value} for one {row.unit}"


def _against(row, name):
    ratio = figures.summarize(row.ratios[name])
    return (f"{ratio.median:.2f} of what {TITLES[name]} "
            f"{'holds' if row.compares == MEMORY else 'needs'}")


def _verdict(row):
    return {"ahead": "It is ahead in every pair",
            "level": "It is not ahead: the pairs disagree",
            "behind": f"It is not ahead: {_ahead_of(row)}, in every pair"}[row.standing]


def _ahead_of(row):
    names = [TITLES[name] for name, ratios in row.ratios.items()
             if figures.standing(ratios) == "behind"]
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}"


def _remarks(row):
    said = _failures(row)
    said += [f"A run of {TITLES[name]} was repeated, for {' '.join(reason.split())}"
             for name, reason in row.repeated.items() if name not in row.failed]
    idle = [TITLES[name] for name in row.runs
            if (row.median(name, "core_share") or 1) < BUSY_SHARE]
    if row.compares == CPU and row.unit != "connection" and idle:
        said.append(f"{', '.join(idle)} did not use all of the core: there the rate is the "
                    "generator's or the backend's")
    limited = _where_any(row, "generator_limited")
    if limited and row.compares == LATENCY:
        said.append(f"The generator was the limit with {', '.join(limited)}")
    throttled = _where_any(row, "throttled")
    if throttled:
        said.append("The kernel may have halted the generator, which has a real-time priority and "
                    f"left nearly nothing of its core, with {', '.join(throttled)}: p99.9 is that")
    strayed = [TITLES[name] for name, runs in row.runs.items()
               if row.rate and not all(figures.is_kept(run["rate"], row.rate) for run in runs)]
    if row.rate_share and row.rate_share < 0.5:
        said.append(f"The rate is {row.rate_share:.0%} of nginx's in the closed loop: of more, "
                    "generator and backend kept too little here")
    if strayed:
        said.append(f"The rate was not kept, by more than {figures.RATE_KEPT:.0%}, with "
                    f"{', '.join(strayed)}: the figures are those of a backlog")
    if row.is_noisy:
        spread, name = max((figures.summarize(ratios).spread, name)
                           for name, ratios in row.ratios.items() if ratios)
        said.append("The machine was too noisy for this row: its pairs lie up to "
                    f"{spread:.0%} apart ({TITLES[name]})")
    return said


def _where_any(row, key):
    return [TITLES[name] for name, runs in row.runs.items() if any(run.get(key) for run in runs)]


def not_ahead(rows):
    return [row for row in rows if row.standing in ("behind", "level", "failed")]


def incomplete(rows):
    """Those which were not measured, or not of every proxy."""
    return [row for row in rows if row.skipped or row.failed]


def noise(rows):
    """Sentences on how far the whole can be trusted."""
    compared = [row for row in rows if any(row.ratios.values())]
    if not compared:
        return "Nothing was compared."
    limit = f"{figures.NOISY_SPREAD:.0%}"
    single = [row for row in compared if row.has_one_round]
    repeated = [row for row in compared if not row.has_one_round]
    noisy = [row for row in repeated if row.is_noisy]
    said = []
    if single:
        said.append("One round alone says nothing about noise (give --rounds 3, or leave --quick "
                    f"out): {', '.join(row.name for row in single)}.")
    if noisy:
        said.append(f"The machine was too noisy for {len(noisy)} of {len(repeated)} rows, whose "
                    f"pairs lie more than {limit} apart: {', '.join(row.name for row in noisy)}. "
                    "Repeat these on a quiet machine.")
    elif repeated:
        said.append("The machine was quiet enough: "
                    f"{'no other' if single else 'no'} row's pairs lie more than {limit} apart.")
    return " ".join(said)
