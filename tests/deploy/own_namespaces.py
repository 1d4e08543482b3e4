"""Runs tests in namespaces of their own, which end with the tests and all that they have started."""

import os
import subprocess
import sys
import unittest

INSIDE = "ECHO_EXPORTER_TEST_INSIDE"
NAMESPACES = [
    *("setpriv", "--pdeathsig", "KILL", "unshare"),
    *("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
]


def why_not():
    """Says what keeps the tests from running here; None when nothing does."""
    if os.geteuid() != 0:
        return "not root"
    tried = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True, check=False)
    return "no namespaces: " + tried.stderr.strip() if tried.returncode != 0 else None


def run_tests(names):
    runner = unittest.TextTestRunner(sys.stdout, verbosity=2)
    result = runner.run(unittest.defaultTestLoader.loadTestsFromNames(names))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 0 if result.wasSuccessful() else 1


def main(script, prepare, take_over, modules):
    """Returns the exit code of `script`, whose arguments are the tests to run, or else these modules.

    prepare() comes first and outside, take_over() first inside of the namespaces. Without the right to
    make them (root) the tests are skipped, or fail with CI=true.
    """
    if os.environ.get(INSIDE):
        take_over()
        return run_tests(sys.argv[1:] or modules)
    if reason := why_not():
        print("skipped: " + reason)
        must_run = os.environ.get("CI") == "true"
        print("0 passed, 1 failed" if must_run else "0 passed, 0 failed, 1 skipped")
        return 1 if must_run else 0
    prepare()
    command = [*NAMESPACES, sys.executable, script, *sys.argv[1:]]
    return subprocess.run(command, env={**os.environ, INSIDE: "1"}, check=False).returncode
