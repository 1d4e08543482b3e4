"""A network that is down: before the exporter starts, and while it runs."""

import unittest

import expectations
import exporter
import network
import prometheus
import scrape

ADDRESSES = ["10.213.1.1", "10.213.2.25"]
CONFIG = (
    f'[sources]\nadapter = {{ interface = "{network.DEVICE}" }}\n'
    '[defaults]\ninterval = "100ms"\n'
    + exporter.group("g", sources=["auto", "adapter"], destinations=ADDRESSES)
)


def all_up(seen):
    return seen.total("icmp_echo_up") == 2 * len(ADDRESSES)


def all_down(seen):
    return seen.finished() > 0 and seen.total("icmp_echo_up") == 0


class OutagesTest(unittest.TestCase):
    def test_the_exporter_outlives_outages_and_counts_them(self):
        failure = expectations.here(expectations.DEVICE_DOWN)
        with network.ScriptedNetwork() as net:
            net.take_down()
            # Being ready, as the `with` block wants it, needs no network.
            with exporter.Exporter(CONFIG) as daemon, prometheus.Prometheus() as server:
                seen = daemon.wait_until("failures", all_down)
                self.assertEqual(set(seen.outcomes(source="auto")), {failure})
                net.bring_up()
                daemon.wait_until("replies after the start", all_up)

                net.take_down()
                seen = daemon.wait_until("failures again", all_down)
                sent = seen.total("icmp_echo_requests_total")
                daemon.wait_until(
                    "probing goes on",
                    lambda seen: seen.total("icmp_echo_requests_total") > sent + 20,
                )
                self.assertEqual(exporter.get("/-/ready")[0], 200)
                net.bring_up()
                daemon.wait_until("replies again", all_up)
                # Those under way at the change have ended, and from now on there are only replies.
                seen = daemon.wait_until(
                    "a pause", lambda seen: not seen.total("icmp_echo_in_flight")
                )
                before = seen.outcomes()
                seen = daemon.wait_until(
                    "more replies", lambda seen: seen.outcomes()["reply"] > before["reply"] + 40
                )
                self.assertEqual({**seen.outcomes(), "reply": 0}, {**before, "reply": 0})
                server.wait_for_scrapes(3)
                for one in server.scrapes():
                    self.assertEqual(scrape.accounting_errors(one), [])
