"""Bars as SVG: groups of one bar for each proxy, from a list of values to a picture that stands
alone, readable in light and dark. Texts from outside are escaped.
"""

from dataclasses import dataclass
from html import escape

from comparison import figures
from comparison.proxies import GATEWAY, NGINX_LARGE, TITLES
from comparison.rows import rows_of
from comparison.scenarios import CPU, LATENCY, MEMORY

_WIDTH, _LABELS, _RIGHT = 760, 300, 70
_BAR, _GAP, _GROUP_GAP, _TOP = 11, 2, 12, 74
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2937 }
.title { font-size: 15px; font-weight: 600 }
.faint { fill: #6b7280; font-size: 11px; stroke: #ffffff; stroke-width: 3; paint-order: stroke }
.back { fill: #ffffff } .line { stroke: #9ca3af; stroke-dasharray: 3 3 }
.gateway { fill: #2563eb } .nginx-4k { fill: #a8b3c2 } .nginx-16k { fill: #64748b }
.haproxy { fill: #d08a2e }
@media (prefers-color-scheme: dark) {
  text { fill: #e5e7eb } .faint { fill: #9ca3af; stroke: #0d1117 } .back { fill: #0d1117 }
  .line { stroke: #6b7280 } .gateway { fill: #5b93ff } .nginx-4k { fill: #566172 }
  .nginx-16k { fill: #8a97a9 } .haproxy { fill: #e0a352 }
}
"""


@dataclass(frozen=True)
class Group:
    label: str
    values: dict  # by proxy; None where there is none


def bars(title, explained, names, groups, reference=None):
    """`reference` is a value at which a line stands."""
    known = [value for group in groups for value in group.values.values() if value is not None]
    most = max([*known, reference or 0]) or 1
    each = len(names) * (_BAR + _GAP) + _GROUP_GAP
    height = _TOP + each * len(groups) + 12
    scale = (_WIDTH - _LABELS - _RIGHT) / most
    parts = [f'<rect class="back" width="{_WIDTH}" height="{height}" rx="6"/>',
             _text(16, 24, title, "title"), _text(16, 42, explained, "faint"), _legend(names)]
    if reference is not None:
        at = _LABELS + reference * scale
        parts.append(f'<line class="line" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP - 6}" '
                     f'y2="{height - 10}"/>')
    for number, group in enumerate(groups):
        parts += _group(group, names, _TOP + number * each, scale)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            f'width="{_WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">'
            f"<style>{_STYLE}</style>{''.join(parts)}</svg>\n")


def _group(group, names, top, scale):
    middle = top + len(names) * (_BAR + _GAP) / 2 + 3
    parts = [_text(_LABELS - 10, middle, group.label, anchor="end")]
    for number, name in enumerate(names):
        value = group.values.get(name)
        y = top + number * (_BAR + _GAP)
        wide = 0 if value is None else value * scale
        parts.append(f'<rect class="{name}" x="{_LABELS}" y="{y}" width="{wide:.1f}" '
                     f'height="{_BAR}" rx="1.5"/>')
        parts.append(_text(_LABELS + wide + 5, y + _BAR - 1.5, figures.significant(value), "faint"))
    return parts


def _legend(names):
    parts, x = [], _LABELS
    for name in names:
        parts.append(f'<rect class="{name}" x="{x}" y="52" width="10" height="10" rx="2"/>')
        parts.append(_text(x + 15, 61, TITLES[name]))
        x += 30 + 7 * len(TITLES[name])
    return "".join(parts)


def _text(x, y, text, kind=None, anchor="start"):
    of_kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{of_kind}>{escape(text)}</text>'


def charts_of(document):
    """(name of the file, title, SVG) of each that there is something for."""
    rows = [row for row in rows_of(document) if any(row.values.values())]
    names = document["proxies"]
    found = [_relative(names, [row for row in rows if row.compares == CPU]),
             _memory(names, [row for row in rows if row.compares == MEMORY]),
             *(_latency(names, row) for row in rows if row.compares == LATENCY)]
    return [chart for chart in found if chart is not None]


def _relative(names, rows):
    base = NGINX_LARGE if NGINX_LARGE in names else GATEWAY
    groups = []
    for row in rows:
        if row.values.get(base):
            unit = row.values[base].median
            groups.append(Group(row.title, {name: row.values[name].median / unit
                                            for name in names if row.values.get(name)}))
    if not groups:
        return None
    title = "Processor time for one message"
    return "processor.svg", title, bars(
        title, f"as a share of that of {TITLES[base]}; less is better", names, groups, 1)


def _memory(names, rows):
    if not rows:
        return None
    title = "Memory of an idle connection"
    groups = [Group(row.title, _medians(row)) for row in rows]
    return "memory.svg", title, bars(title, "resident bytes of the process; less is better", names,
                                     groups)


def _latency(names, row):
    title = f"Latency: {row.title}"
    groups = []
    for label, key in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p99.9_us")):
        values = {name: row.median(name, key) for name in names}
        if any(value is not None for value in values.values()):
            groups.append(Group(label, values))
    return f"latency-{row.name}.svg", title, bars(
        title, "microseconds from when a message was due; less is better", names, groups)


def _medians(row):
    return {name: summary.median for name, summary in row.values.items() if summary}
