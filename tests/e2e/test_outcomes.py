"""Every kind of address, probed all the time; nearly every question goes to Prometheus."""

import concurrent.futures
import subprocess
import sys
import unittest

import expectations
import exporter
import network
import processes
import prometheus
import scrape

sys.path.append(str(processes.ROOT / "tests/deploy"))
import dashboard_queries  # noqa: E402

DASHBOARDS = sorted((processes.ROOT / "deploy/grafana").glob("*.json"))
SCRAPES = 20
REQUESTS = 40  # of each pair

# The parts of names behind icmp_echo_, echo_exporter_ and process_.
ICMP_ECHO_NAMES = """
    requests_total outcomes_total in_flight rtt_seconds_bucket rtt_seconds_sum rtt_seconds_count
    last_rtt_seconds last_reply_timestamp_seconds interval_seconds jitter_seconds reply_ttl up up_changed_timestamp_seconds consecutive_failures
    outages_total outage_seconds_total failure_run_length_bucket failure_run_length_sum
    failure_run_length_count pair_info"""
EXPORTER_NAMES = """
    build_info config_last_reload_successful config_last_reload_success_timestamp_seconds pairs
    schedule_lag_seconds_bucket schedule_lag_seconds_sum schedule_lag_seconds_count
    schedule_missed_total completion_delay_seconds_bucket completion_delay_seconds_sum
    completion_delay_seconds_count resolve_failures_total stale_lookups http_requests_total"""
PROCESS_NAMES = "cpu_seconds_total resident_memory_bytes start_time_seconds"


def setUpModule():
    global daemon, server
    unittest.enterModuleContext(network.ScriptedNetwork())
    daemon = unittest.enterModuleContext(exporter.Exporter(expectations.plan_config()))
    # A minute, as shipped, is longer than all of the test.
    rules = prometheus.build_rules("[thresholds]\ndown_seconds = 1\n")
    config = prometheus.CONFIG.replace(str(prometheus.RULES), str(rules))
    server = unittest.enterModuleContext(prometheus.Prometheus(config))
    addresses = [row.address for row in expectations.sent_rows()]
    daemon.wait_until(
        f"{REQUESTS} requests ended everywhere",
        lambda seen: all(seen.finished(destination=a) >= REQUESTS for a in addresses),
    )
    server.wait_for_scrapes(SCRAPES)


def timed_rows():
    return [row for row in expectations.sent_rows() if "reply" in row.expected()]


def steady_rows():
    return [row for row in expectations.sent_rows() if len(row.expected()) == 1]


class OutcomesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scrapes = server.scrapes()
        cls.last = cls.scrapes[-1]

    def about(self, row):
        return self.subTest(address=row.address, answer=row.answer)

    def test_every_scrape_accounts_for_every_request(self):
        self.assertGreaterEqual(len(self.scrapes), SCRAPES)
        for seen in self.scrapes:
            self.assertEqual(scrape.accounting_errors(seen), [])
            self.assertEqual(
                len(seen.series("icmp_echo_requests_total")), len(expectations.ROWS)
            )

    def test_crowded_scrapes_account_for_every_request(self):
        with concurrent.futures.ThreadPoolExecutor(8) as clients:
            for seen in clients.map(lambda _: daemon.scrape(), range(80)):
                self.assertEqual(scrape.accounting_errors(seen), [])

    def test_counters_never_go_back(self):
        for before, after in zip(self.scrapes, self.scrapes[1:]):
            for name in ("icmp_echo_requests_total", "icmp_echo_outcomes_total"):
                for labels, value in before.series(name):
                    self.assertGreaterEqual(after.value(name, **labels), value, labels)

    def test_every_address_has_its_outcome_and_no_other(self):
        for row in expectations.sent_rows():
            with self.about(row):
                outcomes = self.last.outcomes_of_sent(destination=row.address)
                self.assertEqual(outcomes, row.expected())

    def test_addresses_that_cannot_be_probed_are_not_probed(self):
        unsent = [row for row in expectations.ROWS if not row.expected()]
        for row in unsent:
            requests = self.last.value("icmp_echo_requests_total", destination=row.address)
            self.assertEqual(requests, 0, row.address)
        missed = daemon.scrape().value("echo_exporter_schedule_missed_total", reason="unresolved")
        self.assertEqual(missed > 0, bool(unsent))

    def test_every_second_request_is_lost(self):
        for seen in self.scrapes:
            requests = seen.total("icmp_echo_requests_total", destination="10.213.5.1")
            replies = seen.outcomes(destination="10.213.5.1").get("reply", 0)
            answered = (requests + 1) // 2
            on_their_way = seen.total("icmp_echo_in_flight", destination="10.213.5.1")
            self.assertLessEqual(replies, answered, f"of {requests} requests")
            self.assertGreaterEqual(replies, answered - on_their_way, f"of {requests} requests")

    # A stalled machine makes some slower, and none faster than the network.
    def test_shortest_round_trip_time_is_the_delay(self):
        for row in timed_rows():
            with self.about(row):
                values = [
                    seen.value("icmp_echo_last_rtt_seconds", destination=row.address)
                    for seen in self.scrapes
                ]
                shortest = min(value for value in values if value is not None)
                self.assertAlmostEqual(shortest, row.delay, delta=expectations.RTT_TOLERANCE)

    def test_histograms_hold_the_delay(self):
        for row in timed_rows():
            with self.about(row):
                buckets = {
                    float(labels["le"]): value
                    for labels, value in server.query(
                        f'icmp_echo_rtt_seconds_bucket{{destination="{row.address}"}}'
                    )
                }
                low, high = expectations.rtt_bounds(row)
                self.assertEqual(buckets.get(low, 0), 0, buckets)
                self.assertGreater(buckets[high], 0, buckets)

    def test_round_trip_times_add_up(self):
        for row in timed_rows():
            with self.about(row):
                total = self.last.value("icmp_echo_rtt_seconds_sum", destination=row.address)
                count = self.last.value("icmp_echo_rtt_seconds_count", destination=row.address)
                self.assertGreaterEqual(total / count, expectations.rtt_bounds(row)[0])
                self.assertLess(total / count, 1, "the timeout")

    def test_up_is_one_exactly_for_those_that_answer(self):
        for row in steady_rows():
            with self.about(row):
                expected = {1.0} if row.expected() == {"reply"} else {0.0}
                seen = {
                    one.value("icmp_echo_up", destination=row.address)
                    for one in self.scrapes
                    if one.finished(destination=row.address)
                }
                self.assertEqual(seen, expected)

    def test_reply_ttl_is_that_of_the_reply(self):
        for row in expectations.sent_rows():
            with self.about(row):
                ttl = self.last.value("icmp_echo_reply_ttl", destination=row.address)
                # Rows of IPv6 are sent only where the hop limit is told.
                has_ttl = "reply" in row.expected()
                self.assertEqual(ttl, row.reply_ttl if has_ttl else None)

    def test_jitter_is_there_for_those_that_answer(self):
        for row in expectations.sent_rows():
            with self.about(row):
                jitter = self.last.value("icmp_echo_jitter_seconds", destination=row.address)
                self.assertEqual(jitter is not None, "reply" in row.expected())

    def test_more_than_one_request_is_under_way_when_the_timeout_exceeds_the_interval(self):
        for address in ("10.213.3.60", "10.213.4.1"):
            in_flight = [
                seen.value("icmp_echo_in_flight", destination=address) for seen in self.scrapes
            ]
            self.assertGreater(max(in_flight), 1, address)

    def test_label_values_arrive_as_written(self):
        for labels, _ in self.last.series("icmp_echo_requests_total", group="plan"):
            self.assertEqual(labels["site"], expectations.LABELS["site"])
            self.assertEqual(labels["source"], "auto")
            self.assertNotIn("team", labels, "Prometheus drops empty labels")


class DeployTest(unittest.TestCase):
    """What deploy/ ships, against this exporter."""

    def test_promtool_has_nothing_to_say(self):
        text = exporter.get("/metrics")[1]
        checked = subprocess.run(
            ["promtool", "check", "metrics"],
            input=text.encode(),
            capture_output=True,
            check=False,
        )
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))

    def test_every_metric_of_the_contract_is_there(self):
        families = set(daemon.scrape().names())
        for name in (
            *("icmp_echo_" + name for name in ICMP_ECHO_NAMES.split()),
            *("echo_exporter_" + name for name in EXPORTER_NAMES.split()),
            *("process_" + name for name in PROCESS_NAMES.split()),
        ):
            self.assertIn(name, families)

    def test_the_exporter_describes_itself(self):
        seen = daemon.scrape()
        self.assertEqual(seen.value("echo_exporter_pairs"), len(expectations.ROWS))
        self.assertEqual(seen.value("echo_exporter_config_last_reload_successful"), 1)
        self.assertEqual(seen.value("echo_exporter_build_info"), 1)
        scraped = seen.value("echo_exporter_http_requests_total", handler="/metrics", code="200")
        self.assertGreaterEqual(scraped, SCRAPES)

    def test_rules_load_and_run(self):
        def rules(of_interval=float("inf")):
            groups = server.api("rules")["groups"]
            return [
                rule
                for group in groups
                if group["interval"] <= of_interval
                for rule in group["rules"]
            ]

        # Groups with a longer interval of their own may not have their turn in this time.
        processes.wait_for(
            "all rules were evaluated",
            lambda: all(rule["health"] != "unknown" for rule in rules(of_interval=1)),
        )
        self.assertGreater(len(rules()), 10)
        self.assertEqual([rule for rule in rules() if rule["health"] == "err"], [])

    def test_recorded_loss_is_the_loss(self):
        # Apart from outages: what never answers has none.
        expected = {
            row.address: row.expected()
            for row in expectations.sent_rows()
            if "reply" in row.expected()
        }

        def by_destination(result):
            return {labels["destination"]: value for labels, value in result}

        series = "pair:icmp_echo_loss:ratio"
        loss = by_destination(
            server.wait_until(
                series, series, lambda result: set(by_destination(result)) >= set(expected)
            )
        )
        for address, outcomes in expected.items():
            with self.subTest(address=address):
                if outcomes == {"reply", "timeout"}:
                    self.assertAlmostEqual(loss[address], 0.5, delta=0.1)
                else:
                    self.assertEqual(loss[address], 0)

    def test_alerts_name_those_that_do_not_answer(self):
        down = {
            row.address for row in expectations.sent_rows() if "reply" not in row.expected()
        }

        def alerting():
            return {
                alert["labels"]["destination"]
                for alert in server.api("alerts")["alerts"]
                if alert["labels"]["alertname"] == "EchoPairDown"
            }

        processes.wait_for("EchoPairDown for all that are down", lambda: down == alerting())

    def test_every_dashboard_query_has_an_answer(self):
        queries = [query for path in DASHBOARDS for query in dashboard_queries.load_queries(path)]
        self.assertGreater(len(queries), 50)
        if "process_open_fds" not in daemon.scrape().names():  # which Wine does not tell
            queries = [query for query in queries if "process_open_fds" not in query.expr]
        problems = []
        chosen = {"destination": "10.213.1.1"}  # which always answers

        def none():
            problems[:] = dashboard_queries.check_queries(prometheus.URL, queries, chosen=chosen)
            return not problems

        try:
            processes.wait_for("no problems", none)
        except AssertionError:
            self.fail("\n".join(problems))
