"""/probe: against every kind of address through a Prometheus that is configured as deploy/ shows,
by hand, and side by side with a real blackbox_exporter."""

import collections
import concurrent.futures
import re
import unittest
import urllib.parse

import blackbox
import expectations
import exporter
import network
import processes
import prometheus
import scrape

DEPLOYED = processes.ROOT / "deploy/prometheus/prometheus.yml"
MAX_CONCURRENT = 64
CONFIG = f"""
[probe]
max_concurrent = {MAX_CONCURRENT}
allowed_targets = ["10.213.0.0/16", "fd00:213::/64", "127.0.0.1", "*.example"]
[sources]
adapter = {{ interface = "{network.DEVICE}" }}
[modules.icmp]
timeout = "2s"
[modules.hurried]
timeout = "50ms"
[modules.large]
timeout = "2s"
payload_size = 1400
ttl = 9
dont_fragment = true
"""


def setUpModule():
    global net, daemon
    net = unittest.enterModuleContext(network.ScriptedNetwork())
    daemon = unittest.enterModuleContext(exporter.Exporter(CONFIG))


def probe(target, headers=None, **parameters):
    """Returns the status and the text of a request to /probe."""
    query = urllib.parse.urlencode({"target": target, **parameters})
    return exporter.get(f"/probe?{query}", headers)


def probed(target, headers=None, **parameters):
    status, text = probe(target, headers, **parameters)
    if status != 200:
        raise AssertionError(f"{status}: {text}")
    return scrape.Scrape.parse(text)


def outcomes(seen):
    return {labels["outcome"]: count for labels, count in seen.series("probe_icmp_outcome")}


def phases(seen):
    return {labels["phase"] for labels, _ in seen.series("probe_icmp_duration_seconds")}


class RelabellingTest(unittest.TestCase):
    """Prometheus asks for all addresses, with the configuration that deploy/ ships."""

    @classmethod
    def setUpClass(cls):
        listed = [row.address for row in cls.rows() if "." in row.address]
        in_a_file = [row.address for row in cls.rows() if ":" in row.address]
        file = processes.work_file("targets.yml")
        file.write_text(f"- targets: {in_a_file}\n")
        text = DEPLOYED.read_text()
        for old, new in (
            ("scrape_interval: 15s", "scrape_interval: 3s\n  scrape_timeout: 3s"),
            ("evaluation_interval: 15s", "evaluation_interval: 3s"),
            ("- echo_exporter.rules.yml", f"- {prometheus.RULES}"),
            ('targets: ["192.0.2.1", "dns.example.net"]', f"targets: {listed}"),
            ('files: ["targets/*.yml"]', f"files: ['{file}']"),
        ):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        server = cls.enterClassContext(prometheus.Prometheus(text))
        server.wait_until(
            "two probes of each",
            "count_over_time(probe_success[1h]) >= 2",
            lambda result: len(result) == len(cls.rows()),
        )
        cls.probes = server.scrapes("probe_.*|scrape_duration_seconds")

    @staticmethod
    def rows():
        return [row for row in expectations.ROWS if row.group == "plan"]

    def of(self, row):
        """All probes of the row's address."""
        return [
            seen
            for seen in self.probes
            if seen.value("probe_success", instance=row.address) is not None
        ]

    def test_success_is_a_reply(self):
        for row in self.rows():
            with self.subTest(address=row.address, answer=row.answer):
                possible = {float(outcome == "reply") for outcome in row.expected()} or {0.0}
                for seen in self.of(row):
                    success = seen.value("probe_success", instance=row.address)
                    self.assertIn(success, possible)

    def test_outcomes_have_their_names(self):
        for row in self.rows():
            with self.subTest(address=row.address, answer=row.answer):
                for seen in self.of(row):
                    names = {
                        labels["outcome"]
                        for labels, _ in seen.series("probe_icmp_outcome", instance=row.address)
                    }
                    self.assertLessEqual(names, row.expected())
                    self.assertEqual(len(names), 1 if row.expected() else 0)

    def test_round_trip_phase_and_hop_limit_are_there_only_with_a_reply(self):
        for row in self.rows():
            with self.subTest(address=row.address, answer=row.answer):
                for seen in self.of(row):
                    success = seen.value("probe_success", instance=row.address)
                    rtt = seen.value(
                        "probe_icmp_duration_seconds", instance=row.address, phase="rtt"
                    )
                    hops = seen.value("probe_icmp_reply_hop_limit", instance=row.address)
                    self.assertEqual(rtt is not None, success == 1)
                    if "." in row.address:
                        self.assertEqual(hops, row.reply_ttl if success else None)

    def test_round_trip_is_no_shorter_than_the_delay_and_no_longer_than_the_scrape(self):
        for row in self.rows():
            if "reply" not in row.expected():
                continue
            with self.subTest(address=row.address, answer=row.answer):
                rtts = {
                    seen.value(
                        "probe_icmp_duration_seconds", instance=row.address, phase="rtt"
                    ): seen.value("scrape_duration_seconds", instance=row.address)
                    for seen in self.of(row)
                }
                rtts.pop(None, None)
                self.assertGreater(len(rtts), 0)
                for rtt, scrape_duration in rtts.items():
                    self.assertGreaterEqual(rtt, row.delay - expectations.RTT_TOLERANCE)
                    self.assertLess(rtt, scrape_duration)

    def test_timeout_leaves_prometheus_its_margin(self):
        for seen in self.of(self.rows()[0]):
            timeout = seen.value("probe_timeout_seconds", instance=self.rows()[0].address)
            self.assertEqual(timeout, 2, "the module's, as 3 s less the margin is more")


class ProbeTest(unittest.TestCase):
    def test_count_sends_so_many_and_tells_the_spread(self):
        seen = probed("10.213.5.200", count=5)  # answers the 1st, 3rd and 5th
        self.assertEqual(outcomes(seen), {"reply": 3, "timeout": 2})
        self.assertEqual(seen.value("probe_icmp_packets_sent"), 5)
        self.assertEqual(seen.value("probe_icmp_packets_received"), 3)
        self.assertEqual(net.requests("10.213.5.200"), 5)
        low, mean, high = (
            seen.value(f"probe_icmp_rtt_{name}_seconds") for name in ("min", "mean", "max")
        )
        self.assertTrue(0 < low <= mean <= high, (low, mean, high))
        self.assertEqual(seen.value("probe_success"), 1)

    def test_one_echo_tells_no_spread(self):
        seen = probed("10.213.1.1")
        self.assertIsNone(seen.value("probe_icmp_rtt_min_seconds"))
        self.assertIsNone(seen.value("probe_icmp_packets_sent"))

    def test_duplicates_are_one_reply(self):
        seen = probed("10.213.7.9", count=4)
        self.assertEqual(outcomes(seen), {"reply": 4})
        self.assertEqual(seen.value("probe_icmp_packets_received"), 4)

    def test_scrape_timeout_of_prometheus_is_kept(self):
        header = {"X-Prometheus-Scrape-Timeout-Seconds": "2"}
        seen = probed("10.213.4.1", header)
        self.assertEqual(seen.value("probe_timeout_seconds"), 1.5)
        self.assertEqual(seen.value("probe_success"), 0)
        self.assertEqual(outcomes(seen), {"timeout": 1})

    def test_module_sets_timeout_payload_and_ttl(self):
        self.assertEqual(outcomes(probed("10.213.2.200", module="hurried")), {"timeout": 1})
        self.assertEqual(outcomes(probed("10.213.1.9", module="large")), {"reply": 1})
        request = net.stats()["10.213.1.9"]["last_request"]
        self.assertEqual((request["payload_size"], request["ttl"]), (1400, 9))
        self.assertTrue(request["dont_fragment"])

    def test_path_mtu_is_found_with_large_packets(self):
        # 1400 + 28 bytes are more than the path's 1410; the host remembers that, so only the first
        # request to an address gets the router's answer.
        self.assertEqual(outcomes(probed("10.213.12.141", module="large")), {"packet_too_big": 1})
        self.assertEqual(outcomes(probed("10.213.12.143", module="large")), {"reply": 1})

    def test_source_may_be_an_address_an_adapter_or_auto(self):
        for source in (network.SOURCE, "adapter", "auto"):
            seen = probed("10.213.1.10", source=source)
            self.assertEqual(seen.value("probe_success"), 1, source)

    def test_names_resolve_at_every_probe(self):
        self.addCleanup(network.set_hosts, {})
        network.set_hosts({})
        self.assertEqual(probed("some.example").value("probe_success"), 0)
        network.set_hosts({"some.example": "10.213.1.11"})
        self.assertEqual(probed("some.example").value("probe_success"), 1)
        before = net.requests("10.213.1.12")
        network.set_hosts({"some.example": "10.213.1.12"})
        self.assertEqual(probed("some.example").value("probe_success"), 1)
        self.assertEqual(net.requests("10.213.1.12"), before + 1)

    def test_debug_shows_log_and_metrics(self):
        status, text = probe("10.213.10.3", debug="true")
        self.assertEqual(status, 200)
        self.assertRegex(text, r"echo 1: port_unreachable after \d+ us from 10\.213\.0\.254")
        self.assertIn("probe_success 0", text)

    def test_a_name_is_allowed_when_its_address_is(self):
        self.addCleanup(network.set_hosts, {})
        network.set_hosts({"inside.test": "10.213.1.13", "outside.test": "192.0.2.1"})
        self.assertEqual(probed("inside.test").value("probe_success"), 1)
        status, text = probe("outside.test")
        self.assertEqual(status, 403)
        self.assertIn("outside.test", text)

    def test_wrong_requests_are_refused_with_a_sentence(self):
        for query, status, words in (
            ("", 400, "target"),
            ("target=", 400, "target"),
            ("target=10.213.1.1&module=nonsense", 400, "nonsense"),
            ("target=10.213.1.1&count=0", 400, "count"),
            ("target=10.213.1.1&count=many", 400, "count"),
            ("target=10.213.1.1&source=nowhere", 400, "nowhere"),
            ("target=10.213.1.1&colour=blue", 400, "colour"),
            ("target=192.0.2.1", 403, "192.0.2.1"),
        ):
            with self.subTest(query=query):
                have, text = exporter.get(f"/probe?{query}")
                self.assertEqual(have, status, text)
                self.assertIn(words, text.lower())

    def test_what_is_no_target_is_a_probe_that_failed(self):
        for target in ("0.0.0.0", "10.213.1.1:9100", "http://10.213.1.1/", "not a name"):
            with self.subTest(target=target):
                self.assertEqual(probed(target).value("probe_success"), 0)
                text = probe(target, debug="true")[1]
                self.assertIn(f'target "{target}" is neither an address', text)
        daemon.wait_for_log("probe of an invalid target")

    def test_addresses_in_brackets_are_probed(self):
        if expectations.here(expectations.IPV6):
            self.assertEqual(probed("[fd00:213::1:1]").value("probe_success"), 1)

    def test_internationalised_names_are_probed(self):
        self.addCleanup(network.set_hosts, {})
        network.set_hosts({"xn--bcher-kva.example": "10.213.1.14"})
        self.assertEqual(probed("bücher.example").value("probe_success"), 1)

    def test_a_short_scrape_timeout_leaves_time_to_probe(self):
        seen = probed("10.213.1.1", {"X-Prometheus-Scrape-Timeout-Seconds": "0.6"})
        self.assertEqual(seen.value("probe_timeout_seconds"), 0.4)

    def test_probes_are_counted(self):
        name = "echo_exporter_http_requests_total"
        before = daemon.scrape()
        probe("10.213.1.1")
        probe("192.0.2.1")
        after = daemon.scrape()
        for code in ("200", "403"):
            labels = {"handler": "/probe", "code": code}
            grown = after.value(name, **labels) - (before.value(name, **labels) or 0)
            self.assertEqual(grown, 1, code)


class BusyTest(unittest.TestCase):
    def test_too_many_at_once_are_refused_and_those_under_way_are_answered(self):
        config = '[probe]\nmax_concurrent = 1\n[modules.icmp]\ntimeout = "60s"\n'
        address = "10.213.4.200"
        with concurrent.futures.ThreadPoolExecutor(1) as client:
            with exporter.Exporter(config, address=exporter.OTHER_ADDRESS) as busy:
                first = client.submit(busy.get, f"/probe?target={address}")
                processes.wait_for("the first probe", lambda: net.requests(address))
                status, text = busy.get("/probe?target=10.213.1.1")
                self.assertEqual(status, 503, text)
                self.assertIn("1", text)
            # Stopped with the first one under way, which says nothing of its target.
            self.assertEqual(first.result(), (503, "The exporter is stopping\n"))

    def test_probes_leave_room_to_pairs(self):
        config = (
            '[engine]\nmax_in_flight = 240\n[modules.icmp]\ntimeout = "4s"\n'
            + "[probe]\nmax_concurrent = 64\n"
            + exporter.group("g", interval="100ms", destinations=["10.213.1.0/28", "10.213.4.202"])
        )
        path = "/probe?target=10.213.4.201&count=100"
        with (
            exporter.Exporter(config, address=exporter.OTHER_ADDRESS) as busy,
            concurrent.futures.ThreadPoolExecutor(64) as clients,
        ):
            answers = [clients.submit(busy.get, path) for _ in range(64)]
            statuses = collections.Counter(answer.result()[0] for answer in answers)
            missed = "echo_exporter_schedule_missed_total"
            self.assertEqual(busy.scrape().value(missed, reason="max_in_flight"), 0)
        self.assertEqual(set(statuses), {200, 503})
        self.assertLessEqual(net.requests("10.213.4.201"), 60 * statuses[200])


class BlackboxTest(unittest.TestCase):
    """The same questions to both exporters."""

    @classmethod
    def setUpClass(cls):
        # Only one of them does not answer.
        patience = collections.defaultdict(dict)
        patience["10.213.4.1"] = {"X-Prometheus-Scrape-Timeout-Seconds": "1"}
        cls.answers = {}
        with blackbox.Blackbox():
            for target in ("10.213.1.1", "10.213.23.99", "10.213.4.1", "10.213.10.1", "127.0.0.1"):
                answers = [ask(target, patience[target]) for ask in (blackbox.probe, probe)]
                assert [status for status, _ in answers] == [200, 200], answers
                cls.answers[target] = [text for _, text in answers]

    def test_names_types_and_help_texts_are_the_same(self):
        for target, texts in self.answers.items():
            with self.subTest(target=target):
                theirs, ours = (
                    set(re.findall(r"^# (?:HELP|TYPE) .*$", text, re.MULTILINE)) for text in texts
                )
                self.assertEqual(theirs - ours, set())

    def test_series_are_the_same_but_for_a_round_trip_that_did_not_happen(self):
        for target, texts in self.answers.items():
            with self.subTest(target=target):
                theirs, ours = map(scrape.Scrape.parse, texts)
                self.assertEqual(set(theirs.names()) - set(ours.names()), set())
                missing = set() if ours.value("probe_success") else {"rtt"}
                self.assertEqual(phases(theirs) - phases(ours), missing)

    def test_what_does_not_depend_on_time_is_equal(self):
        names = ("success", "ip_protocol", "ip_addr_hash", "icmp_reply_hop_limit")
        for target, texts in self.answers.items():
            with self.subTest(target=target):
                theirs, ours = (
                    {name: seen.value("probe_" + name) for name in names}
                    for seen in map(scrape.Scrape.parse, texts)
                )
                self.assertEqual(ours, theirs)
