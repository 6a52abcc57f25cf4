#!/usr/bin/env python3
"""gateway.conf(5), made of gateway.conf: its comments are the reference, and there is no second one.

    reference.py gateway.conf VERSION SYSCONFDIR > gateway.conf.5

What it knows of the file's layout:

    # Text, which stands at its left edge.        a paragraph
    #     more than text is indented              an example, as it is
    #   key            Text, aligned with         an item, its text, and in that deeper lines
    #                  the lines below it.        for examples
    # key = value                                 a key and its default, told by the text above it
    [table]                                       a section, and the text above it is its first
"""

import re
import sys

HEAD = r""".TH GATEWAY.CONF 5 "2026-11-28" "gateway {version}" "File Formats"
.SH NAME
gateway.conf \- configuration of the gateway
.SH SYNOPSIS
.I {sysconfdir}/gateway/gateway.conf
.SH DESCRIPTION
"""

TAIL = r""".SH EXAMPLES
The file that came with the gateway, without its comments:
.PP
.RS
.EX
{example}
.EE
.RE
.SH SEE ALSO
.BR gateway (8)
"""

TABLE = re.compile(r"\[+[\w.-]+\]+$")
KEY = re.compile(r"([a-z_]+) = ")
ITEM = re.compile(r"   (\S+(?:, \S+)*)(  +(?=\S)|$)")


def escaped(text):
    """As roff prints it, literally: an ASCII hyphen is one that can be typed."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    text = text.replace("^", r"\(ha").replace("~", r"\(ti").replace("`", r"\(ga")
    return r"\&" + text if text.startswith((".", "'")) else text


def indent_of(line):
    return len(line) - len(line.lstrip())


def flow(lines, indent, paragraph=".PP", margin=4):
    """Text at `indent`; what stands deeper is an example, and a blank line ends a paragraph."""
    printed = []
    example = False
    for line in lines:
        if not line.strip():
            if not example and printed[-1:] != [paragraph]:
                printed.append(paragraph)
            continue
        deeper = indent_of(line) > indent
        if deeper != example:
            if printed[-1:] == [paragraph]:
                printed.pop()
            printed += [".sp", f".RS {margin}", ".EX"] if deeper else [".EE", ".RE", paragraph]
            example = deeper
        printed.append(escaped(line[indent + 2:] if deeper else line.strip()))
    if example:
        return printed + [".EE", ".RE"]
    return printed[:-1] if printed[-1:] == [paragraph] else printed


def item(heads, lines, indent):
    """The text of an item stands 7 columns further in, and so do its examples."""
    more = [line for one in heads[1:] for line in (".TQ", rf"\fB{escaped(one)}\fR")]
    return [".TP", rf"\fB{escaped(heads[0])}\fR", *more, *flow(lines, indent, ".IP", 11)]


def comment(lines):
    """Lines of a comment, without their "#"."""
    printed = []
    at = 0
    while at < len(lines):
        found = ITEM.match(lines[at])
        end = at + 1
        if found:
            while end < len(lines) and indent_of(lines[end]) > 3:
                end += 1
            text = [" " * found.end() + lines[at][found.end():], *lines[at + 1:end]]
            text = [line for line in text if line.strip()]
            printed += item([found[1]], text, indent_of(text[0]))
        else:
            while end < len(lines) and not ITEM.match(lines[end]):
                end += 1
            printed += [".PP", *flow(lines[at:end], 1)]
        at = end
    return printed


def page_of(file):
    """What stands between HEAD and TAIL."""
    printed, text, keys = [], [], []

    def finish():
        nonlocal text, keys
        printed.extend(item(keys, text, 1) if keys else comment(text))
        text, keys = [], []

    for line in [*file, ""]:
        if line.startswith("# ") and KEY.match(line[2:]):
            keys.append(line[2:])
            continue
        if keys:
            finish()
        if line.startswith("#"):
            text.append(line[1:])
        elif TABLE.match(line):
            if text or f'.SH "{escaped(line)}"' not in printed:
                printed.append(f'.SH "{escaped(line)}"')
            finish()
        elif not line and text:
            finish()
    # A paragraph that a section begins with needs no space before it.
    return [line for before, line in zip([".SH", *printed], printed)
            if not (line == ".PP" and before.startswith(".SH"))]


def main():
    path, version, sysconfdir = sys.argv[1:]
    with open(path, encoding="utf-8") as opened:
        file = opened.read().splitlines()
    statements = [line for line in file if line and not line.startswith("#")]
    sys.stdout.write(HEAD.format(version=version, sysconfdir=sysconfdir))
    print("\n".join(page_of(file)))
    sys.stdout.write(TAIL.format(example="\n".join(map(escaped, statements))))


if __name__ == "__main__":
    main()
