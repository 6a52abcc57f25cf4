#!/usr/bin/env python3
"""Makes a source file of a page, for page.hh.

usage: page_source.py PAGE SOURCE
"""

import pathlib
import sys

# Of one literal; compilers take any number of them in a row.
PIECE_BYTES = 8192


def main() -> None:
    page, source = map(pathlib.Path, sys.argv[1:])
    text = page.read_text(encoding="utf-8")
    assert ')page"' not in text
    pieces = [text[at : at + PIECE_BYTES] for at in range(0, len(text), PIECE_BYTES)]
    literals = "\n".join(f'R"page({piece})page"' for piece in pieces)
    source.write_text(
        f'#include "gateway/admin/page.hh"\n\nstd::string_view gateway::admin::page() {{\n  return\n{literals};\n}}\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
