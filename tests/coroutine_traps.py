#!/usr/bin/env python3
"""What g++ 12 compiles wrongly about coroutines, without a word, is not written here:

- co_await in the condition of if, while, for or switch, or in a macro that makes one of it (the coroutine is
  never resumed); its result goes into a const first;
- co_await beside !, &&, || or ?:, for the same reason;
- auto [a, b] = co_await, and capturing lambdas that are coroutines (temporaries are destroyed twice, and
  captures die with the lambda).

usage: coroutine_traps.py SOURCE_ROOT
"""

import pathlib
import re
import sys

FOLDERS = ["uring", "proto", "gateway", "tools", "tests", "bench"]
# Comments, raw strings, strings and characters, in which nothing counts.
NO_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.DOTALL
)
CONDITION = re.compile(r"\b(?:if|while|for|switch|CHECK|assert|(?:EXPECT|ASSERT)_\w+)\s*(?:constexpr\s*)?\(")
LAMBDA = re.compile(r"(?<![\w)\]\[])\[(?!\[)[^\[\]]+\]\s*(?:\([^{};]*?\)\s*)?(?:mutable\b|noexcept\b|->[^{};]+|\s)*\{")
BRACES = {"(": ")", "{": "}"}


def blanked(text: str) -> str:
    """The same text, its lines where they were, without what is no code."""
    return NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def inside(code: str, opening: int) -> str:
    """What stands between the brace at `opening` and the one that closes it."""
    begin, end = code[opening], BRACES[code[opening]]
    depth = 0
    for position in range(opening, len(code)):
        depth += (code[position] == begin) - (code[position] == end)
        if depth == 0:
            return code[opening + 1 : position]
    return code[opening + 1 :]


def statement_around(code: str, position: int) -> str:
    """Without the condition that it hangs on."""
    begin = max(code.rfind(mark, 0, position) for mark in ";{}")
    while condition := re.compile(r"\W*\b(?:if|while|for)\s*(?=\()").match(code, begin + 1):
        begin = condition.end() + len(inside(code, condition.end())) + 1
    if begin >= position:
        return ""
    ends = [end for end in (code.find(mark, position) for mark in ";{}") if end >= 0]
    return code[begin + 1 : min(ends, default=len(code))]


def faults_of(text: str) -> list[tuple[int, str]]:
    code = blanked(text)
    found = []
    for match in CONDITION.finditer(code):
        if re.search(r"\bco_await\b", inside(code, match.end() - 1)):
            found.append((match.start(), "co_await in a condition: put its result into a const first"))
    for match in re.finditer(r"(?<!operator )\bco_await\b", code):
        statement = statement_around(code, match.start())
        if re.search(r"&&|\|\||\?|!\s*\(*\s*co_await\b", statement):
            found.append((match.start(), "co_await beside a logical operator: put its result into a const first"))
        if re.search(r"\bauto\b[&\s]*\[[^\]]*\]\s*=\s*co_await\b", statement):
            found.append((match.start(), "a structured binding of a co_await"))
    for match in LAMBDA.finditer(code):
        if re.search(r"\bco_(?:await|return|yield)\b", inside(code, match.end() - 1)):
            found.append((match.start(), "a capturing lambda that is a coroutine"))
    return sorted((code.count("\n", 0, position) + 1, fault) for position, fault in found)


def check_the_checker() -> None:
    """A check that cannot fail is a defect: these must be found, and these must not."""
    for code in [
        "if (co_await task()) {",
        "while (!done && (co_await read()).size() > 0) {",
        "if (const auto x = co_await task(); x) {",
        "const bool ok = !co_await task();",
        "const bool ok = ready && co_await task();",
        "co_return a ? co_await b() : c;",
        "auto [a, b] = co_await pair();",
        "EXPECT_TRUE(co_await task());",
        "auto story = [&]() -> Task<> { co_await event.wait(); };",
        "run([this, x] { co_return; });",
    ]:
        assert faults_of(code), code
    for code in [
        "const bool done = co_await task();",
        "co_await task(a(b), c); if (done && x) {",
        "// if (co_await x)\nconst int a = co_await b();",
        "auto story = []() -> Task<> { co_await event.wait(); };",
        "run([&] { return x; }); co_await y();",
        "while (low() && !stopped()) co_await event.wait();",
        "Awaiter operator co_await() && { return Awaiter(handle_); }",
        "values[index] = 1; { co_await y(); }",
        "[[nodiscard]] Task<> f() { co_await y(); }",
    ]:
        assert not faults_of(code), (code, faults_of(code))


def main() -> int:
    check_the_checker()
    root = pathlib.Path(sys.argv[1])
    checked = 0
    found = False
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in {".hh", ".cc"}:
                continue
            checked += 1
            for line, fault in faults_of(path.read_text()):
                print(f"{path.relative_to(root)}:{line}: {fault}")
                found = True
    print(f"{checked} files checked")
    return 1 if found or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
