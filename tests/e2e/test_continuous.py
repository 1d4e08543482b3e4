"""Continuous modules of /probe: pairs that Prometheus's own discovery begins, asked for by hand, by
hostile clients, and by a Prometheus that is configured as deploy/ shows."""

import collections
import concurrent.futures
import http.client
import json
import time
import unittest
import urllib.parse

import expectations
import exporter
import network
import processes
import prometheus
import scrape

DEPLOYED = processes.ROOT / "deploy/prometheus/continuous.yml"
PAIRS = "echo_exporter_continuous_pairs"
LAN = '[modules.lan]\nmode = "continuous"\ninterval = "100ms"\ntimeout = "1s"\n'
CONFIG = LAN + """
keep = "1h"
[modules.brief]
mode = "continuous"
interval = "100ms"
timeout = "1s"
keep = "10s"
[probe]
allowed_targets = ["10.213.0.0/16", "fd00:213::/64", "*.example"]
"""


def setUpModule():
    global net
    net = unittest.enterModuleContext(network.ScriptedNetwork())


def path_to(target, **parameters):
    return "/probe?" + urllib.parse.urlencode({"module": "lan", "target": target, **parameters})


def pair_of(text, target):
    """What an answer says of its pair, with the labels of a pair."""
    labels = {"group": "lan", "source": "auto", "destination": target}
    seen = scrape.Scrape.parse(text)
    return scrape.Scrape(
        (name, labels | have if name.startswith("icmp_echo_") else have, value)
        for name in list(seen.names())
        for have, value in seen.series(name)
    )


class ContinuousTest(unittest.TestCase):
    config = CONFIG

    def setUp(self):
        self.daemon = self.enterContext(exporter.Exporter(self.config))

    def ask(self, target, **parameters):
        status, text = self.daemon.get(path_to(target, **parameters))
        self.assertEqual(status, 200, text)
        seen = pair_of(text, target)
        self.assertEqual(scrape.accounting_errors(seen), [])
        return seen

    def ask_until(self, what, target, condition, **parameters):
        def look():
            seen = self.ask(target, **parameters)
            return seen if condition(seen) else None

        return processes.wait_for(what, look)

    def requests(self, target, **parameters):
        return self.ask(target, **parameters).value("icmp_echo_requests_total")

    def reload(self, config):
        header = self.daemon.config_file.read_text().split("\n")[:2]
        self.daemon.config_file.write_text("\n".join([*header, config]))
        status, text = exporter.get("/-/reload", method="POST")
        self.assertEqual(status, 200, text)

    def test_all_kinds_of_targets_add_up_in_every_answer(self):
        rows = [row for row in expectations.ROWS if row.group == "plan"]
        last = {}
        for _ in range(20):
            for row in rows:
                last[row.address] = self.ask(row.address)
        for row in rows:
            with self.subTest(address=row.address, answer=row.answer):
                if row.expected():
                    seen = self.ask_until(
                        "an outcome", row.address, lambda seen: seen.outcomes_of_sent()
                    )
                    self.assertLessEqual(seen.outcomes_of_sent(), row.expected())
                if row.expected() == {"reply"}:
                    self.assertEqual(seen.value("probe_success"), 1)
                    self.assertGreaterEqual(
                        seen.value("probe_duration_seconds"),
                        row.delay - expectations.RTT_TOLERANCE,
                    )
                elif "reply" not in row.expected():
                    self.assertEqual(last[row.address].value("probe_success"), 0)
        self.assertEqual(self.daemon.scrape().value(PAIRS), len(rows))
        self.assertEqual(self.daemon.scrape().series("icmp_echo_requests_total"), [])

    def test_the_network_has_seen_what_is_counted(self):
        address = "10.213.8.4"  # answers six of ten
        self.ask_until("some losses", address, lambda seen: seen.outcomes().get("timeout", 0) >= 6)
        for _ in range(20):
            before = net.requests(address)
            seen = self.ask(address)
            self.assertLessEqual(before, seen.value("icmp_echo_requests_total"))
            self.assertLessEqual(seen.finished(), net.requests(address))

    def test_clients_share_a_pair(self):
        address = "10.213.1.41"
        with concurrent.futures.ThreadPoolExecutor(4) as clients:
            asked = [clients.submit(self.requests, address) for _ in range(200)]
        self.assertLessEqual(max(client.result() for client in asked), self.requests(address))
        self.assertEqual(self.daemon.scrape().value(PAIRS), 1)
        # What each of two would have counted is half of that.
        sent = net.requests(address)
        self.assertLessEqual(sent, self.requests(address))

    def test_the_status_page_probes_a_pair_now_as_the_module_does(self):
        target = "10.213.2.44"
        self.ask_until("a reply", target, lambda seen: seen.value("icmp_echo_up") == 1)
        names = urllib.parse.urlencode({"group": "lan", "source": "auto", "destination": target})
        pair = processes.wait_for("the pair", lambda: self.status_of(names))
        self.assertEqual((pair["interval_seconds"], pair["timeout_seconds"]), (0.1, 1))
        page = {"X-Echo-Exporter": "page"}
        status, text = exporter.get("/api/v1/probe?" + names, page, method="POST")
        self.assertEqual(status, 200, text)
        self.assertEqual(json.loads(text)["outcome"], "reply")

    def status_of(self, names):
        status, text = self.daemon.get("/api/v1/pair?" + names)
        return json.loads(text) if status == 200 else None

    def test_a_pair_that_nobody_asks_for_ends(self):
        kept, brief = "10.213.1.42", "10.213.1.43"
        self.ask(kept)
        self.ask_until(
            "some replies",
            brief,
            lambda seen: seen.value("icmp_echo_requests_total") >= 5,
            module="brief",
        )
        asked = time.monotonic()
        self.ask(brief, module="brief")
        self.daemon.wait_until("the end", lambda seen: seen.value(PAIRS) == 1)
        self.assertGreater(time.monotonic() - asked, 9, "it was kept for 10 s")
        sent = net.requests(brief)
        # Ten times as long as there were between two of its requests.
        count = self.requests(kept)
        self.ask_until(
            "more echoes", kept, lambda seen: seen.value("icmp_echo_requests_total") > count + 10
        )
        self.assertEqual(net.requests(brief), sent)
        self.assertLess(self.requests(brief, module="brief"), sent, "a new one")

    def test_a_reload_changes_what_it_names_and_nothing_else(self):
        address = "10.213.1.44"
        self.ask_until("replies", address, lambda seen: seen.outcomes().get("reply", 0) >= 5)
        self.ask("10.213.1.45")
        before = self.requests(address)
        self.reload(CONFIG.replace('keep = "10s"', 'keep = "20s"'))
        self.assertGreaterEqual(self.requests(address), before)
        self.reload(CONFIG.replace(LAN, LAN + "payload_size = 77\n"))
        self.assertGreaterEqual(self.requests(address), before)
        processes.wait_for(
            "the new size",
            lambda: net.stats()[address]["last_request"]["payload_size"] == 77,
        )
        self.reload(CONFIG.replace("10.213.0.0/16", f"{address}/32"))
        self.assertEqual(self.daemon.scrape().value(PAIRS), 1)
        self.assertEqual(self.daemon.get(path_to("10.213.1.45"))[0], 403)
        self.assertGreaterEqual(self.requests(address), before)
        self.reload(CONFIG.replace('mode = "continuous"', "", 1).replace('interval = "100ms"', "", 1).replace('keep = "1h"', "", 1))
        self.assertEqual(self.daemon.scrape().value(PAIRS), 0)

    def test_a_name_is_probed_once_it_resolves(self):
        self.addCleanup(network.set_hosts, {})
        network.set_hosts({})
        seen = self.ask("late.example")
        self.assertEqual(seen.value("probe_success"), 0)
        self.assertEqual(seen.value("icmp_echo_resolved"), 0)
        network.set_hosts({"late.example": "10.213.1.46"})
        self.ask_until(
            "a reply", "late.example", lambda seen: seen.value("probe_success") == 1
        )
        self.assertEqual(self.ask("late.example").value("icmp_echo_resolved"), 1)

    def test_rules_of_probes_hold(self):
        for parameters, status, words in (
            ({"target": "192.0.2.1"}, 403, "192.0.2.1"),
            ({"target": "10.213.1.1", "count": 3}, 400, "continuous"),
            ({"target": "10.213.1.1", "source": "nowhere"}, 400, "nowhere"),
        ):
            have, text = self.daemon.get(path_to(**parameters))
            self.assertEqual(have, status, text)
            self.assertIn(words, text)
        seen = scrape.Scrape.parse(self.daemon.get(path_to("not a name"))[1])
        self.assertEqual(seen.value("probe_success"), 0)
        self.assertEqual(self.daemon.scrape().value(PAIRS), 0)
        text = self.daemon.get(path_to("10.213.1.47", debug="true"))[1]
        self.assertIn("pair of module lan: auto -> 10.213.1.47\n", text)

    def test_an_outage_is_logged(self):
        self.ask_until(
            "an outage", "10.213.4.47", lambda seen: seen.value("icmp_echo_outages_total") == 1
        )
        self.daemon.wait_for_log(
            'msg="pair is down" module=lan source=auto target=10.213.4.47 outcome=timeout'
        )


class ManyTargetsTest(unittest.TestCase):
    TARGETS, LIMIT, CLIENTS = 10_000, 500, 8

    def test_far_too_many_targets_cost_the_others_nothing(self):
        config = CONFIG + f"max_continuous = {self.LIMIT}\n"
        address = "10.213.1.48"
        with exporter.Exporter(config) as daemon:
            status, text = daemon.get(path_to(address))
            self.assertEqual(status, 200, text)
            with concurrent.futures.ThreadPoolExecutor(self.CLIENTS) as clients:
                answers = [clients.submit(self.ask_for_many, first) for first in range(self.CLIENTS)]
                while not all(answer.done() for answer in answers):
                    status, text = daemon.get(path_to(address))
                    self.assertEqual(status, 200, text)
                    self.assertEqual(scrape.accounting_errors(pair_of(text, address)), [])
            statuses = sum((answer.result() for answer in answers), collections.Counter())
            self.assertEqual(
                statuses, {200: self.LIMIT - 1, 503: self.TARGETS - (self.LIMIT - 1)}
            )
            seen = daemon.scrape()
            self.assertEqual(seen.value(PAIRS), self.LIMIT)
            pair = pair_of(daemon.get(path_to(address))[1], address)
            self.assertEqual(pair.outcomes_of_sent(), {"reply"})
        self.assertEqual(daemon.log_text().count("too many continuous pairs"), 1)

    def ask_for_many(self, first):
        """Counts the statuses of the targets first, first + CLIENTS and so on."""
        statuses = collections.Counter()
        connection = http.client.HTTPConnection(exporter.ADDRESS, timeout=processes.PATIENCE)
        for number in range(first, self.TARGETS, self.CLIENTS):
            connection.request("GET", path_to(f"10.213.{128 + number // 250}.{number % 250}"))
            with connection.getresponse() as response:
                response.read()
                statuses[response.status] += 1
        connection.close()
        return statuses


class DiscoveryTest(unittest.TestCase):
    """Prometheus finds the targets in a file, with the configuration that deploy/ ships."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(exporter.Exporter(CONFIG))
        cls.targets = processes.work_file("targets.yml")
        cls.targets.write_text("- targets: [10.213.8.3]\n  labels: {site: fra}\n")
        text = DEPLOYED.read_text()
        for old, new in (
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("evaluation_interval: 15s", "evaluation_interval: 1s"),
            ("- echo_exporter.rules.yml", f"- {prometheus.RULES}"),
            ('files: ["continuous_targets/*.yml"]', f"files: ['{cls.targets}']"),
        ):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        cls.server = cls.enterClassContext(prometheus.Prometheus(text))

    def wait_for_requests(self, destination, count):
        self.server.wait_until(
            f"{count} requests to {destination}",
            f'icmp_echo_requests_total{{destination="{destination}"}}',
            lambda result: result and result[0][1] >= count,
        )

    def test_loss_between_scrapes_is_exact(self):
        address = "10.213.8.3"  # of ten requests, not the last three
        self.wait_for_requests(address, 50)
        expected = {
            "job": "echo_exporter",
            "instance": exporter.ADDRESS,
            "group": "lan",
            "source": "auto",
            "destination": address,
            "site": "fra",
        }

        def four_scrapes():
            scrapes = [
                seen
                for seen in self.server.scrapes()
                if seen.series("icmp_echo_requests_total", destination=address)
            ]
            return scrapes if len(scrapes) >= 4 else None

        for seen in processes.wait_for("four scrapes", four_scrapes):
            self.assertEqual(scrape.accounting_errors(seen), [])
            [(labels, requests)] = seen.series("icmp_echo_requests_total", destination=address)
            self.assertEqual(labels, expected)
            # What came of all of them is never more than what the network made of them: so neither
            # a reply nor a loss is counted that was none, and together they are all.
            replies = requests // 10 * 7 + min(requests % 10, 7)
            outcomes = seen.outcomes(destination=address)
            self.assertLessEqual(outcomes.pop("reply", 0), replies)
            self.assertLessEqual(outcomes.pop("timeout", 0), requests - replies)
            self.assertEqual(outcomes, {})
        losses = self.server.wait_until(
            "losses by the rules", f'pair:icmp_echo_losses:total{{destination="{address}"}} > 0'
        )
        self.assertEqual({key: losses[0][0][key] for key in expected}, expected)
        self.assertEqual(self.server.query('probe_success'), [])
        self.assertEqual(
            self.server.query('up{job="echo_targets"}')[0][1], 1, "of the scrape of the target"
        )

    def test_a_target_that_comes_is_probed(self):
        text = self.targets.read_text()
        more = processes.work_file("more.yml")
        more.write_text(text + "- targets: [10.213.1.49]\n")
        more.replace(self.targets)
        self.wait_for_requests("10.213.1.49", 5)
        self.wait_for_requests("10.213.8.3", 5)
