"""What `gateway metrics` says, as Prometheus reads it."""

import json
import re
import subprocess
from pathlib import Path

from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

from support.checking import run
from support.waiting import DEADLINE

DOCS = Path(__file__).resolve().parents[3] / "docs"


def metrics_text(gateway, *options):
    done = run("metrics", "-c", gateway.file, *options)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def promtool(*arguments, text=None):
    return subprocess.run(["promtool", *map(str, arguments)], input=text, capture_output=True, text=True,
                          timeout=DEADLINE, check=False)


class Scrape:
    """samples: {(name, ((label, value), ...)): value}; types: {family: type}; labels: {family: names}."""

    def __init__(self, text, parser=prometheus):
        self.samples = {}
        self.types = {}
        self.labels = {}
        for family in parser.text_string_to_metric_families(text):
            self.types[family.name] = family.type
            names = self.labels.setdefault(family.name, set())
            for sample in family.samples:
                key = (sample.name, tuple(sorted(sample.labels.items())))
                assert key not in self.samples, f"{key} comes twice"
                self.samples[key] = sample.value
                names.update(sample.labels)

    def sum(self, name, **labels):
        return sum(value for (sample, its), value in self.samples.items()
                   if sample == name and labels.items() <= dict(its).items())

    def by(self, name, label, **labels):
        """{value of the label: sum}, without those that are 0."""
        values = {dict(its)[label] for sample, its in self.samples if sample == name}
        sums = {value: self.sum(name, **labels, **{label: value}) for value in values}
        return {value: number for value, number in sums.items() if number}


def scrape(gateway):
    return Scrape(metrics_text(gateway))


def scrape_openmetrics(gateway):
    return Scrape(metrics_text(gateway, "--openmetrics"), openmetrics)


def families_of(text):
    """{family as the text format names it: (type, help)}, those without a sample included."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    assert types.keys() == helps.keys()
    return {name: (types[name], helps[name]) for name in types}


def documented():
    """{family: (type, labels)} of the tables of docs/metrics.md."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]+) \|$", (DOCS / "metrics.md").read_text(),
                      re.MULTILINE)
    assert len({row[0] for row in rows}) == len(rows), "a metric has two rows"
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _ in rows}


def names_in(expression):
    """Of an expression of PromQL: the metrics that it names, as families."""
    return {re.sub(r"_(bucket|sum|count)$", "", name)
            for name in re.findall(r"\b(?:gateway|process)_\w+", expression)}


def dashboard_expressions():
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
