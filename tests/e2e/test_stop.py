"""Ctrl-C with requests in flight; then, with nothing on the way, what the exporter counted is what
the network saw."""

import unittest

import expectations
import exporter
import network
import processes
import prometheus
import scrape

# To a silent address for so long that Prometheus scrapes while the exporter waits for it.
ENGINE = '[engine]\ndrain_timeout = "60s"\n'
SLOW = exporter.group("slow", destinations=["10.213.4.99"], timeout="8s", interval="2s")
REQUESTS = 12  # of each pair


def setUpModule():
    """One life of an exporter, of which the tests look at the end."""
    global last, stored, not_ready, exit_code, log, seen_by_network
    with (
        network.ScriptedNetwork() as net,
        exporter.Exporter(ENGINE + expectations.plan_config() + SLOW) as daemon,
        prometheus.Prometheus() as server,
    ):
        addresses = [row.address for row in expectations.sent_rows()]
        daemon.wait_until(
            "requests ended everywhere, and one is in flight",
            lambda seen: all(seen.finished(destination=a) >= REQUESTS for a in addresses)
            and seen.value("icmp_echo_in_flight", group="slow"),
        )
        daemon.ask_to_stop()
        not_ready = processes.wait_for("not ready any more", readiness)
        last = daemon.scrape()
        try:
            while True:
                last = daemon.scrape()
        except (OSError, AssertionError):
            pass  # it has stopped
        exit_code = daemon.stop()
        log = daemon.log_text()
        stored = server.scrapes()[-1]
        seen_by_network = net.final_stats()


def readiness():
    status, text = exporter.get("/-/ready")
    return (status, text) if status != 200 else None


class StopTest(unittest.TestCase):
    def test_ends_well_and_says_so(self):
        self.assertEqual(exit_code, 0, log)
        self.assertIn("msg=stopped in_flight=0", log)

    def test_is_not_ready_while_it_drains(self):
        self.assertEqual(not_ready, (503, "Not ready: stopping\n"))

    def test_last_scrapes_account_for_every_request(self):
        self.assertEqual(scrape.accounting_errors(last), [])
        self.assertEqual(scrape.accounting_errors(stored), [])

    def test_last_scrape_of_prometheus_was_of_the_stopping_exporter(self):
        for labels, requests in last.series("icmp_echo_requests_total"):
            labels.pop("team", None)  # Prometheus drops empty labels
            self.assertEqual(stored.value("icmp_echo_requests_total", **labels), requests, labels)

    def test_every_request_that_the_network_saw_is_counted_and_no_other(self):
        counted = {
            labels["destination"]: requests
            for labels, requests in last.series("icmp_echo_requests_total")
            if requests
        }
        seen = {address: one["requests"] for address, one in seen_by_network.items()}
        self.assertEqual(counted, seen)

    def test_every_reply_of_the_network_is_counted_once(self):
        for row in expectations.sent_rows():
            if "reply" not in row.expected():
                continue
            with self.subTest(address=row.address, answer=row.answer):
                sent = seen_by_network[row.address]["replies"]
                if row.answer == "twice":
                    sent /= 2
                self.assertEqual(last.outcomes(destination=row.address)["reply"], sent)

    def test_every_second_request_got_its_reply(self):
        for labels, requests in last.series("icmp_echo_requests_total", destination="10.213.5.1"):
            replies = last.value("icmp_echo_outcomes_total", **labels, outcome="reply")
            self.assertEqual(replies, (requests + 1) // 2)

    def test_late_replies_are_timeouts_only(self):
        self.assertGreater(seen_by_network["10.213.6.1"]["replies"], 0)
        self.assertEqual(set(last.outcomes(destination="10.213.6.1")), {"timeout"})

    def test_every_request_has_its_schedule_lag(self):
        requests = last.total("icmp_echo_requests_total")
        self.assertEqual(last.value("echo_exporter_schedule_lag_seconds_count"), requests)
