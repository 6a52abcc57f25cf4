"""All cases, by their groups."""

from support.conformance import closing, framing, limits, utf8

NAMES = {"1": "framing", "2": "pings and pongs", "3": "reserved bits", "4": "opcodes",
         "5": "fragmentation", "6": "UTF-8", "7": "close", "9": "limits", "10": "fragments by size",
         "M": "masks and lengths"}


def by_group():
    groups = {name: [] for name in NAMES}
    for module in (framing, utf8, closing, limits):
        for case in module.cases():
            groups[case.group].append(case)
    names = [case.id for cases in groups.values() for case in cases]
    assert len(names) == len(set(names)), "a number is given twice"
    return groups
