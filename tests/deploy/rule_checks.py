"""Checks of the rules: against their documentation, and of rules that are made with other settings."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIXIN = ROOT / "deploy/mixin"
DOCS = ROOT / "docs/prometheus.md"
OWN_TESTS = ROOT / "tests/deploy/testdata/own_rules.test.yml"

OWN_CONFIG = """\
selector = 'job="own"'
target_labels = ["site"]
runbook_url = "https://wiki.example.net/echo"
grafana_url = "https://grafana.example.net"
[thresholds]
loss = 0.2
[overrides]
alert_loss = ["0.03", "off"]
alert_rtt = []
"""


def runbook_problems(alerts):
    """Each alert has a heading of its name, which its runbook_url leads to, and the other way round."""
    headings = set(re.findall(r"^### (Echo\w+)$", DOCS.read_text(), re.MULTILINE))
    return [f"no heading of its own: {name}" for name in sorted(alerts - headings)] + [
        f"a heading of no alert: {name}" for name in sorted(headings - alerts)
    ]


def series_problems(series):
    """Each recorded series is in the documentation, and the other way round."""
    documented = set(re.findall(r"`(\w+:\w+:\w+)`", DOCS.read_text()))
    return [f"recorded or documented, but not both: {name}" for name in sorted(series ^ documented)]


def documented_settings():
    """Maps thresholds and labels to their values in the tables of "Rules" in the documentation."""
    settings = {}
    rules = DOCS.read_text().partition("\n## Rules\n")[2].partition("\n## ")[0]
    for names, values in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|", rules, re.MULTILINE):
        names, values = re.findall(r"`(\w+)`", names), values.strip().split(", ")
        settings |= dict(zip(names, values)) if len(names) > 1 else {names[0]: ", ".join(values)}
    return settings


def setting_problems():
    config = tomllib.loads((MIXIN / "config.toml").read_text())
    settings = {name: str(value) for name, value in config["thresholds"].items()}
    settings |= {label: ", ".join(values) for label, values in config["overrides"].items()}
    documented = documented_settings()
    return [
        f"{name} is {settings.get(name)}, documented as {documented.get(name)}"
        for name in sorted(settings.keys() | documented.keys())
        if settings.get(name) != documented.get(name)
    ]


def example_problems(promtool):
    """Lists what Prometheus would say of the configurations in the documentation."""
    problems = []
    for text in re.findall(r"^```yaml\n(.*?)^```", DOCS.read_text(), re.DOTALL | re.MULTILINE):
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write(text)
            file.flush()
            problems += promtool("check", "config", "--syntax-only", file.name)
    return problems


def own_rules_problems(promtool):
    """Makes rules with settings of one's own, and tests what they change."""
    with tempfile.TemporaryDirectory(prefix="echo_exporter_mixin_") as name:
        folder = pathlib.Path(name)
        config = folder / "own.toml"
        config.write_text(OWN_CONFIG)
        command = [sys.executable, MIXIN / "build", "--config", config, "--output", folder]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        tests = folder / "prometheus" / OWN_TESTS.name
        shutil.copy(OWN_TESTS, tests)
        rules = tests.with_name("echo_exporter.rules.yml")
        return promtool("check", "rules", rules) + promtool("test", "rules", tests)


def mistake_problems():
    """Settings that cannot be are rejected."""
    problems = []
    for text, message in (
        ("threshold = 1", "there is no key threshold"),
        ("[thresholds]\nlos = 1", "there is no key los"),
        ('[overrides]\nalert_rtt = ["50ms"]', '"50ms" is neither a number nor "off"'),
    ):
        with tempfile.TemporaryDirectory(prefix="echo_exporter_mixin_") as name:
            config = pathlib.Path(name) / "own.toml"
            config.write_text(text)
            command = [sys.executable, MIXIN / "build", "--config", config, "--output", name]
            run = subprocess.run(command, text=True, capture_output=True, check=False)
        if run.returncode != 1 or message not in run.stderr:
            problems.append(f"{text!r}: {run.returncode}, {run.stderr.strip()}")
    return problems


def check_all(check, promtool, rules):
    """Calls check(name, problems) for each test; promtool(...) gives its output as problems."""
    check("each alert has a runbook", runbook_problems(set(re.findall(r"- alert: (\w+)", rules))))
    check("documented series", series_problems(set(re.findall(r"- record: (\S+)", rules))))
    check("documented settings of the rules", setting_problems())
    check("documented configurations", example_problems(promtool))
    check("rules with settings of one's own", own_rules_problems(promtool))
    check("mistakes in settings", mistake_problems())
