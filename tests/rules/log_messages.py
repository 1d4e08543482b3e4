#!/usr/bin/env python3
"""Prints each message of the log in src/ that the table of docs/operations.md lacks.

Usage: tests/rules/log_messages.py     (from the root)
"""

import pathlib
import re

LITERALS = r'(?:"(?:[^"\\]|\\.)*"\s*)+'
# A call that logs, up to its fields or its end; and what a ConditionLog logs.
CALL = re.compile(r"\b(?:Log|sink_)\(\s*(?!kind_)([^;{]*)")
CONDITION = re.compile(r"\.(?:begins|ends)\s*=\s*(" + LITERALS + ")")
EACH = re.compile(r"\bLogEach\(\s*LogLevel::\w+,\s*(" + LITERALS + ")")
MECHANISM = {"log.h", "log.cc", "condition_log.h", "condition_log.cc"}


def messages(source):
    for call in CALL.findall(source):
        if "LogLevel::" in call:
            yield call, re.findall(LITERALS, call)
    for literals in CONDITION.findall(source) + EACH.findall(source):
        yield literals, [literals]


documented = set(re.findall(r"^\| `(.+?)` \|", pathlib.Path("docs/operations.md").read_text(), re.M))
for path in sorted(pathlib.Path("src").rglob("*.*")):
    if path.suffix not in (".h", ".cc") or path.name in MECHANISM:
        continue
    for text, found in messages(path.read_text()):
        if not found:
            print(f"{path}: no literal message: {' '.join(text.split())}")
        for literals in found:
            message = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))
            if message not in documented:
                print(f'{path}: "{message}"')
