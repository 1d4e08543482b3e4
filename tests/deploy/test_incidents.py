"""What fires when, against what happens: six exporters, a Prometheus and an Alertmanager, with the
rules and the inhibition that are shipped, in a network of the test's own.

Time is compressed: every duration in the rules, and every interval, is a thirtieth.
"""

import contextlib
import json
import re
import subprocess
import time
import unittest
import urllib.request

import exporter
import network
import processes
import prometheus
import webhooks

FACTOR = 30
ALERTMANAGER = "127.0.0.1:9093"
JOB = "icmp"
SINKING = "10.213.0.3"  # the only address of the exporter that will see nothing
WAN1, WAN2 = network.SOURCE, network.OTHER_SOURCE
SLOW = "10.213.2.210"  # answers after 210 ms
# Of windows that the rules have as numbers of seconds.
SECONDS = ("900", "990", "3600", "3960", "21600", "23760")
# The machine may be busy, which is true and no incident of the network.
OF_THE_MACHINE = ("EchoExporterOverloaded", "EchoHostFault")

CONFIG = """
global:
  scrape_interval: 500ms
  evaluation_interval: 500ms
rule_files: ["{rules}"]
alerting:
  alertmanagers:
    - static_configs:
        - targets: ["{alertmanager}"]
scrape_configs:
  - job_name: {job}
    static_configs:
      - targets: {targets}
"""


def compress(text):
    """The rules with each duration divided by FACTOR."""

    def shorter(match):
        seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
        return f"{seconds * 1000 // FACTOR}ms"

    text = re.sub(r"\b(\d+)([smhd])\b", shorter, text)
    return re.sub(rf"\b({'|'.join(SECONDS)})\b", lambda m: str(int(m[1]) / FACTOR), text)


def group(name, destinations, **keys):
    return exporter.group(
        name, destinations=destinations, interval="50ms", timeout="500ms", **keys
    )


def address(number):
    return f"127.0.0.1:{10_120 + number}"


class Alertmanager(processes.Daemon):
    def __init__(self, receiver):
        shipped = processes.ROOT / "deploy/prometheus/alertmanager.yml"
        config, data = processes.work_file("alertmanager.yml"), processes.work_file("alertmanager-data")
        config.write_text(compress(shipped.read_text()).replace(webhooks.SHIPPED_URL, receiver.url))
        super().__init__("alertmanager", webhooks.alertmanager(config, data, ALERTMANAGER))

    def is_ready(self):
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(f"http://{ALERTMANAGER}/-/ready") as response:
                return response.status == 200
        return False

    def pages(self):
        """The alerts that are not inhibited, each by its name and where."""
        url = f"http://{ALERTMANAGER}/api/v2/alerts?inhibited=false&silenced=false"
        with urllib.request.urlopen(url, timeout=processes.PATIENCE) as response:
            return {place_of(alert["labels"]) for alert in json.load(response)}


def place_of(labels):
    places = (labels.get(name, "") for name in ("instance", "source", "destination"))
    return (labels["alertname"], *places)


class Faults:
    """What the namespace drops of the replies to its own requests."""

    def __init__(self):
        self._nft("add table ip faults")
        self._nft("add chain ip faults input { type filter hook input priority 0; }")

    @staticmethod
    def _nft(command):
        subprocess.run(["nft", command], check=True)

    def drop(self, what):
        self._nft(f"add rule ip faults input icmp type echo-reply {what} drop")

    def end(self):
        self._nft("flush chain ip faults input")


class IncidentsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(network.ScriptedNetwork())
        network.ip("address", "add", SINKING + "/24", "dev", network.DEVICE)
        cls.faults = Faults()
        core = group("core", ["10.213.1.1", "10.213.1.2", "10.213.1.3"])
        slow = group("far", [SLOW], labels={"alert_rtt": "0.2"})
        sources = f'[sources]\nwan1 = "{WAN1}"\nwan2 = "{WAN2}"\n'
        two = ["wan1", "wan2"]
        configs = [
            *[core + slow] * 4,
            sources + group("core", [f"10.213.1.{n}" for n in (1, 2, 3, 4, 5)], sources=two),
            group("alone", ["10.213.1.6", "10.213.1.7", "10.213.1.8"], sources=[SINKING])
            + group("names", ["nowhere.example"], sources=[SINKING]),
        ]
        cls.exporters = [
            cls.enterClassContext(exporter.Exporter(config, address=address(number)))
            for number, config in enumerate(configs, 1)
        ]
        rules = prometheus.build_rules(f"[thresholds]\ndown_seconds = {60 / FACTOR}\n")
        rules.write_text(compress(rules.read_text()))
        cls.receiver = cls.enterClassContext(webhooks.Receiver())
        cls.alertmanager = cls.enterClassContext(Alertmanager(cls.receiver))
        targets = json.dumps([address(number) for number in range(1, 7)])
        config = CONFIG.format(rules=rules, alertmanager=ALERTMANAGER, job=JOB, targets=targets)
        cls.prometheus = cls.enterClassContext(prometheus.Prometheus(config))

    def notified(self):
        """Every alert that somebody was ever told of."""
        sent = [one for _, alerts in self.receiver.notifications for one in alerts]
        return {place_of(one["labels"]) for one in sent if one["status"] == "firing"}

    def wait_for_pages(self, when, expected):
        """Waits until somebody is told of exactly these; of no other may anybody ever be told."""
        self.allowed |= expected
        begun = time.monotonic()

        def look():
            told = {page for page in self.notified() if page[0] not in OF_THE_MACHINE}
            self.assertLessEqual(told, self.allowed, when)
            pages = told & self.alertmanager.pages()
            for page in sorted(pages - self.told):
                self.table.append((when, "begins", time.monotonic() - begun, page))
            for page in sorted(self.told - pages):
                self.table.append((when, "ends", time.monotonic() - begun, page))
            self.told = pages
            return pages == expected

        processes.wait_for(when, look)

    def print_table(self):
        print("\n| what happened | alert | after (min) | instance, source, destination |")
        print("|---|---|---|---|")
        for when, what, seconds, page in self.table:
            minutes = seconds * FACTOR / 60
            print(f"| {when} | {page[0]} {what} | {minutes:.1f} | {' '.join(page[1:])} |")

    def test_one_cause_is_one_page_and_nothing_else_is(self):
        self.table, self.told, self.allowed = [], set(), set()
        self.addCleanup(self.print_table)
        name = ("EchoNameNotResolved", address(6), SINKING, "nowhere.example")
        always = {name, *(("EchoPairSlow", address(n), "auto", SLOW) for n in (1, 2, 3, 4))}
        self.wait_for_pages("a slow path of 210 ms, and a name that is none, from the start", always)

        seen = self.prometheus.api("alerts")["alerts"]
        texts = [a["annotations"]["description"] for a in seen if a["labels"]["alertname"] == "EchoPairSlow"]
        self.assertTrue(texts)
        for text in texts:
            self.assertRegex(text, r" 21\d(\.\d+)?ms\b")

        self.faults.drop("ip saddr 10.213.1.1")
        dead = ("EchoDestinationDown", "", "", "10.213.1.1")
        self.wait_for_pages("a destination is dead", always | {dead})

        self.faults.drop(f"ip saddr 10.213.1.2 ip daddr {WAN2}")
        pair = ("EchoPairDown", address(5), "wan2", "10.213.1.2")
        self.wait_for_pages("one pair is dead", always | {dead, pair})

        # Each eighth, so that no run of losses is an outage.
        self.faults.drop(f"ip saddr 10.213.1.3 ip daddr {WAN2} numgen inc mod 8 == 0")
        lossy = ("EchoPairLoss", address(5), "wan2", "10.213.1.3")
        self.wait_for_pages("one pair loses an eighth", always | {dead, pair, lossy})

        self.faults.drop(f"ip daddr {WAN2}")
        source = ("EchoSourceDown", address(5), "wan2", "")
        self.wait_for_pages("a source has lost its link", always | {dead, source})

        self.faults.drop(f"ip daddr {SINKING}")
        nothing = ("EchoExporterSeesNothing", address(6), "", "")
        # Its lookups are left to this one, too.
        expected = (always | {dead, source, nothing}) - {name}
        self.wait_for_pages("an exporter sees nothing", expected)

        killed = self.exporters[3]
        killed.kill()
        gone = ("EchoExporterDown", address(4), "", "")
        slow = ("EchoPairSlow", address(4), "auto", SLOW)
        expected = (expected | {gone}) - {slow}
        self.wait_for_pages("an exporter ends", expected)

        edited = self.exporters[2]
        good = edited.config_file.read_text()
        edited.config_file.write_text(good + "[[group]]\n")
        self.assertEqual(exporter.get("/-/reload", address=edited.address, method="POST")[0], 500)
        failed = ("EchoConfigReloadFailed", address(3), "", "")
        self.wait_for_pages("a reload fails", expected | {failed})

        edited.config_file.write_text(good)
        self.assertEqual(exporter.get("/-/reload", address=edited.address, method="POST")[0], 200)
        self.faults.end()
        with killed:
            self.wait_for_pages("all is well again", always)
