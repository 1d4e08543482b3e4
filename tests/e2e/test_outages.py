"""A network that is down: before the exporter starts, and while it runs; and one that loses some."""

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


BURSTS = {f"10.213.8.{length}": length for length in (0, 1, 2, 3, 4, 9)}
PERIOD = 10  # of the scripted network
BOUNDS = (1, 2, 3, 5, 10, 20, 50, 100)


def runs_config(**changed):
    """Replies to later requests overtake each timeout, which a busy machine does not reach."""
    return '[defaults]\ninterval = "100ms"\ntimeout = "5s"\n' + exporter.group(
        "g", **{"destinations": list(BURSTS), **changed}
    )


def runs_of(requests, length):
    """The lengths of the finished runs after so many requests, and that of the one that lasts."""
    lost = [number % PERIOD + length >= PERIOD for number in range(requests)]
    *finished, last = "".join("x" if one else " " for one in lost).split(" ")
    return [len(run) for run in finished if run], len(last)


class RunsTest(unittest.TestCase):
    def check_pair(self, seen, address, outage_after):
        """When nothing is in flight and the number of requests tells what must have become of each."""

        def value(name, **labels):
            return seen.value("icmp_echo_" + name, destination=address, **labels)

        finished, lasting = runs_of(int(value("requests_total")), BURSTS[address])
        self.assertEqual(value("consecutive_failures"), lasting)
        self.assertEqual(value("failure_run_length_sum"), sum(finished))
        self.assertEqual(value("failure_run_length_count"), len(finished))
        for bound in BOUNDS:
            self.assertEqual(
                value("failure_run_length_bucket", le=str(bound)),
                sum(length <= bound for length in finished),
            )
        outages = sum(length >= outage_after for length in finished + [lasting])
        self.assertEqual(value("outages_total"), outages)
        self.assertEqual(value("outage_seconds_total") > 0, outages > 0)
        self.assertEqual(value("up"), lasting == 0)

    def test_counts_runs_of_lost_requests_as_they_were(self):
        with network.ScriptedNetwork() as net, exporter.Exporter(runs_config()) as daemon:

            def reload(config):
                text = daemon.config_file.read_text()
                head = text[: text.index("[defaults]")]
                daemon.config_file.write_text(head + config)
                status, answer = exporter.get("/-/reload", method="POST")
                self.assertEqual(status, 200, answer)

            def requests(seen):
                return min(
                    seen.value("icmp_echo_requests_total", destination=a) for a in BURSTS
                )

            with prometheus.Prometheus() as server:
                # In the middle of outages, as some last for nine of ten requests.
                daemon.wait_until(
                    "an outage that lasts",
                    lambda seen: requests(seen) > 3 * PERIOD
                    and seen.value("icmp_echo_consecutive_failures", destination="10.213.8.9")
                    >= 3,
                )
                reload(runs_config(labels={"site": "fra"}, payload_size=8))
                daemon.wait_until("more of them", lambda seen: requests(seen) > 10 * PERIOD)
                server.wait_for_scrapes(5)
                for seen in server.scrapes():
                    self.assertEqual(scrape.accounting_errors(seen), [])
            reload(runs_config(labels={"site": "fra"}, interval="1h"))
            # Each may be sent one more request at once, and no other for an hour.
            seen = daemon.wait_until(
                "a pause",
                lambda seen: not seen.total("icmp_echo_in_flight")
                and all(
                    net.requests(a) == seen.value("icmp_echo_requests_total", destination=a)
                    for a in BURSTS
                ),
            )
            self.assertEqual(scrape.accounting_errors(seen), [])
            for address in BURSTS:
                with self.subTest(address=address):
                    self.check_pair(seen, address, outage_after=3)

    def test_takes_another_length_of_outages_at_a_reload(self):
        address = "10.213.8.4"
        config = runs_config(destinations=[address], outage_after=1000)
        with network.ScriptedNetwork(), exporter.Exporter(config) as daemon:
            runs = "icmp_echo_failure_run_length_count"
            seen = daemon.wait_until("runs", lambda seen: seen.total(runs) >= 2)
            self.assertEqual(seen.total("icmp_echo_outages_total"), 0)
            self.assertEqual(seen.total("icmp_echo_outage_seconds_total"), 0)
            text = daemon.config_file.read_text()
            daemon.config_file.write_text(text.replace("outage_after = 1000", "outage_after = 4"))
            self.assertEqual(exporter.get("/-/reload", method="POST")[0], 200)
            before = seen
            seen = daemon.wait_until(
                "outages", lambda seen: seen.total("icmp_echo_outages_total") >= 2
            )
            self.assertLessEqual(
                seen.total("icmp_echo_outages_total"),
                seen.total(runs) - before.total(runs) + 1,
            )
            self.assertGreater(seen.total("icmp_echo_outage_seconds_total"), 0)
            self.assertEqual(scrape.accounting_errors(seen), [])
