"""Sends alerts to a real Alertmanager with the shipped configuration: one cause is one notification."""

import collections
import contextlib
import datetime
import json
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.request

import webhooks

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = ROOT / "deploy/prometheus/alertmanager.yml"

# (labels, receiver)
ROUTES = (
    ({"alertname": "EchoPairDown", "severity": "critical"}, "pager"),
    ({"alertname": "EchoPairLoss", "severity": "warning"}, "tickets"),
    ({"alertname": "EchoHostFault", "severity": "info"}, "nowhere"),
    ({"alertname": "EchoPairDown", "severity": "critical", "site": "lab"}, "pager"),
    ({"alertname": "EchoPairLoss", "severity": "warning", "site": "lab"}, "tickets"),
    ({"alertname": "Other"}, "tickets"),
)

SEVERITY = collections.defaultdict(lambda: "warning")
for _name in ("PairDown", "SourceDown", "DestinationDown", "ExporterDown", "ExporterSeesNothing"):
    SEVERITY["Echo" + _name] = "critical"

PAIR = {"instance": "e", "group": "g", "source": "wan1", "destination": "d"}


def alert(name, job, **labels):
    return {"alertname": name, "severity": SEVERITY[name], "job": job, **labels}


def pair_alert(name, job, **labels):
    return alert(name, job, **(PAIR | labels))


class Case:
    """Alerts of jobs that no other case has."""

    def __init__(self, sent, suppressed):
        self.sent = sent  # one list for each notification
        self.suppressed = suppressed

    def alerts(self):
        """The cause comes last, as from Prometheus."""
        return self.suppressed + [labels for notification in self.sent for labels in notification]


def make_cases():
    loss = "EchoPairLoss"
    down = "EchoPairDown"
    return {
        "a source with 285 destinations": Case(
            [[alert("EchoSourceDown", "a", instance="e", source="wan1")]],
            [pair_alert(down, "a", destination=f"d{i}") for i in range(285)]
            + [pair_alert(loss, "a", destination="d300")],
        ),
        "an exporter that is gone": Case(
            [[alert("EchoExporterDown", "b", instance="e", site="fra")]],
            [
                pair_alert(loss, "b"),
                alert("EchoSourceDown", "b", instance="e", source="wan1"),
                alert("EchoHostFault", "b", instance="e", sign="receive_drops"),
                alert("EchoThresholdUnknown", "b", instance="e", group="g", alert_loss="0.03"),
            ],
        ),
        "an exporter that is gone, and targets that Prometheus probes through it": Case(
            [[alert("EchoExporterDown", "h", instance="eh")]],
            [alert("EchoProbeFailing", "h-targets", instance="eh", group="lan", destination="d")],
        ),
        "a destination of many exporters, and another one of the same group": Case(
            [
                [pair_alert(down, "c", destination="other")],
                [alert("EchoDestinationDown", "c", group="g", destination="d")],
            ],
            [pair_alert(down, "c", instance=f"e{i}") for i in range(5)],
        ),
        "an exporter without a network": Case(
            [[alert("EchoExporterSeesNothing", "d", instance="e")]],
            [pair_alert(down, "d", source=source) for source in ("wan1", "wan2")]
            + [alert("EchoSourceDown", "d", instance="e", source=source) for source in ("wan1", "wan2")]
            + [pair_alert("EchoNameNotResolved", "d"), alert("EchoLookupsFailing", "d", instance="e")],
        ),
        "a pair with several problems": Case(
            [[pair_alert(down, "e")], [pair_alert("EchoPairSlow", "e", destination="slow")]],
            [
                pair_alert(loss, "e"),
                pair_alert("EchoPairFlapping", "e"),
                pair_alert("EchoPairSlowerThanUsual", "e", destination="slow"),
            ],
        ),
        "ten exporters at once": Case(
            [[alert("EchoExporterDown", "f", instance=f"e{i}") for i in range(10)]], []
        ),
        "what explains nothing": Case(
            [
                [alert("EchoSourceDown", "g", instance="e", source="wan1")],
                [pair_alert(down, "g", source="wan2"), pair_alert(down, "g", instance="e2")],
                [pair_alert("EchoNameNotResolved", "g")],
            ],
            [],
        ),
    }


# In its maintenance, and for nobody.
QUIET = [
    pair_alert("EchoPairDown", "lab", site="lab"),
    pair_alert("EchoPairLoss", "lab", site="lab", destination="d2"),
    alert("EchoHostFault", "lab", severity="info", sign="suspended", instance="e"),
]


def replace(text, old, new):
    if old not in text:
        raise ValueError(f"{CONFIG.name} has no {old}")
    return text.replace(old, new)


def live_config(receiver_url, group_wait):
    """The shipped configuration with other receivers and times; its maintenance lasts all week."""
    text = replace(CONFIG.read_text(), webhooks.SHIPPED_URL, receiver_url)
    text = replace(text, "group_wait: 45s", f"group_wait: {group_wait}s")
    text = replace(text, "group_interval: 5m", "group_interval: 1h")
    text = replace(text, "weekdays: [sunday]", "weekdays: ['sunday:saturday']")
    return replace(text, 'start_time: "22:00"', 'start_time: "00:00"')


def eventually(holds, seconds=300):
    deadline = time.monotonic() + seconds
    while not (result := holds()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return result


class Alertmanager:
    def __init__(self, url, log):
        self._url, self._log = url, log

    def post(self, alerts):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        body = json.dumps([{"labels": labels, "startsAt": now} for labels in alerts]).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url + "/api/v2/alerts", body, headers)
        urllib.request.urlopen(request, timeout=300).close()

    def inhibited(self):
        """The labels of alerts that others inhibit."""
        with urllib.request.urlopen(self._url + "/api/v2/alerts", timeout=300) as response:
            alerts = json.load(response)
        return [alert["labels"] for alert in alerts if alert["status"]["inhibitedBy"]]

    def muted(self):
        """How many groups were not sent because of the time."""
        return len(re.findall("within mute time", self._log.read_text()))

    def flushed(self):
        """The groups whose wait is over."""
        return set(re.findall(r"aggrGroup=(.+) msg=flushing", self._log.read_text()))


@contextlib.contextmanager
def alertmanager(config):
    with tempfile.TemporaryDirectory(prefix="echo_exporter_alertmanager_") as name:
        directory = pathlib.Path(name)
        log, file = directory / "log", directory / "alertmanager.yml"
        file.write_text(config)
        command = webhooks.alertmanager(file, directory / "data", "127.0.0.1:0", "--log.level=debug")
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

        def listening():
            return re.search(r'msg="Listening on" address=(\S+)', log.read_text())

        try:
            eventually(lambda: listening() or process.poll() is not None)
            if not listening():
                raise RuntimeError("Alertmanager does not start:\n" + log.read_text())
            yield Alertmanager("http://" + listening()[1], log)
        finally:
            process.kill()
            process.wait()


def key(labels):
    return json.dumps(labels, sort_keys=True)


def keys(alerts):
    return sorted(map(key, alerts))


def route_problems():
    problems = []
    for labels, receiver in ROUTES:
        command = ["amtool", "config", "routes", "test", f"--config.file={CONFIG}"]
        command += [f"--verify.receivers={receiver}", *(f"{name}={value}" for name, value in labels.items())]
        run = subprocess.run(command, text=True, capture_output=True, check=False)
        if run.returncode:
            problems.append(f"{labels}: {run.stdout.strip()} {run.stderr.strip()} instead of {receiver}")
    return problems


def case_problems(case, notifications):
    """Compares what came of the case's alerts with what should."""
    jobs = {labels["job"] for labels in case.alerts()}
    expected = []
    for alerts in case.sent:
        path = {"critical": "/pager", "warning": "/tickets"}[alerts[0]["severity"]]
        expected.append((path, keys(alerts)))
    came = [(path, keys(alerts)) for path, alerts in notifications if alerts[0]["job"] in jobs]
    return [f"came: {came}", f"expected: {expected}"] if sorted(came) != sorted(expected) else []


def send_all(cases, group_wait):
    """Gives the notifications; nothing when the machine was too slow for that wait."""
    alerts = [labels for case in cases.values() for labels in case.alerts()] + QUIET
    suppressed = keys(labels for case in cases.values() for labels in case.suppressed)
    notifications_due = sum(len(case.sent) for case in cases.values())
    with webhooks.Receiver() as receiver, alertmanager(live_config(receiver.url, group_wait)) as server:
        begin = time.monotonic()
        server.post(alerts)
        inhibited = eventually(lambda: keys(server.inhibited()) == suppressed)
        if inhibited and time.monotonic() - begin >= group_wait:
            return None, []
        problems = [] if inhibited else [f"inhibited: {server.inhibited()}"]
        groups = {(a["alertname"], a["job"], a.get("group"), a.get("site")) for a in alerts}
        if not eventually(lambda: len(server.flushed()) >= len(groups)):
            problems.append(f"{len(server.flushed())} of {len(groups)} groups were flushed")
        if not eventually(lambda: server.muted() == 2):
            problems.append(f"{server.muted()} groups were muted instead of 2")
        eventually(lambda: len(receiver.notifications) >= notifications_due)
        return [(path, [one["labels"] for one in alerts]) for path, alerts in receiver.notifications], problems


def check_all(check):
    """Calls check(name, problems) for each test."""
    run = subprocess.run(["amtool", "check-config", CONFIG], text=True, capture_output=True, check=False)
    check(CONFIG.name, (run.stdout + run.stderr).splitlines() if run.returncode else [])
    check("alerts reach their receivers", route_problems())
    cases = make_cases()
    notifications, group_wait = None, 2
    while notifications is None:
        notifications, problems = send_all(cases, group_wait)
        group_wait *= 4
    quiet = [labels for _, alerts in notifications for labels in alerts if labels["job"] == "lab"]
    check("alerts are inhibited and muted", problems + [f"not muted: {labels}" for labels in quiet])
    for name, case in cases.items():
        check(f"one cause is one notification: {name}", case_problems(case, notifications))
