"""What must not shake the exporter: changes of this host's network and clock, floods, and thousands
of pairs that nobody answers."""

import collections
import json
import signal
import subprocess
import time
import unittest

import expectations
import exporter
import network
import processes
import scrape

# What is demanded of time holds for a machine that does nothing else.
MANY = 10_000  # pairs
STOPPED = 130 if processes.FULL else 5  # seconds


def load_tests(_loader, tests, _pattern):
    return tests if expectations.here(expectations.ROBUSTNESS) else unittest.TestSuite()


def addresses(first_block, count):
    """IPv4 addresses of the scripted network, 250 of each block."""
    return [f"10.213.{first_block + i // 250}.{1 + i % 250}" for i in range(count)]


def group(name, **keys):
    return exporter.group(name, **{"interval": "100ms", "timeout": "5s", **keys})


def settings(**engine):
    # Few series a pair.
    lines = ["[metrics]", "rtt_buckets = [1]", "[engine]"]
    return "\n".join(lines + [f"{key} = {value}" for key, value in engine.items()]) + "\n"


class Case(unittest.TestCase):
    def wait_for_outcome(self, daemon, outcome, **labels):
        """Waits until requests end like this; returns the scrape."""
        before = daemon.scrape().outcomes(**labels).get(outcome, 0)
        return daemon.wait_until(
            outcome, lambda seen: seen.outcomes(**labels).get(outcome, 0) > before + 5
        )

    def wait_for_replies_only(self, daemon, **labels):
        """Waits until what was under way has ended, and demands nothing but replies from then."""
        self.wait_for_outcome(daemon, "reply", **labels)
        before = daemon.wait_until(
            "a pause", lambda seen: not seen.total("icmp_echo_in_flight", **labels)
        )
        ignored = {"reply": 0, "no_resources": 0}  # no loss either: Scrape.outcomes_of_sent
        others = {**before.outcomes(**labels), **ignored}
        replies = before.outcomes(**labels)["reply"]
        seen = daemon.wait_until(
            "replies", lambda seen: seen.outcomes(**labels)["reply"] > replies + 20
        )
        self.assertEqual({**seen.outcomes(**labels), **ignored}, others)

    def assert_accounts(self, seen):
        self.assertEqual(scrape.accounting_errors(seen), [])


class ChangesTest(Case):
    """This host's addresses, routes, queue and clock change while it probes."""

    def setUp(self):
        self.net = self.enterContext(network.ScriptedNetwork())

    def test_a_source_address_disappears_and_returns(self):
        config = group(
            "g", sources=["auto", network.OTHER_SOURCE], destinations=["10.213.1.130"]
        ) + group("six", sources=["auto", network.OTHER_SOURCE6], destinations=["fd00:213::1:130"])
        lost = {
            network.OTHER_SOURCE: ["/16"],
            network.OTHER_SOURCE6: ["/64", "nodad"],
        }
        with exporter.Exporter(config) as daemon:
            self.wait_for_replies_only(daemon)
            for address, (prefix, *options) in lost.items():
                with self.subTest(address=address):
                    place = (address + prefix, "dev", network.DEVICE)
                    network.ip("address", "delete", *place)
                    self.wait_for_outcome(daemon, "bad_source", source=address)
                    self.wait_for_outcome(daemon, "bad_source", source=address)
                    network.ip("address", "add", *place, *options)
                    self.wait_for_replies_only(daemon, source=address)
            seen = daemon.scrape()
        self.assertEqual(seen.outcomes_of_sent(source="auto"), {"reply"})
        for address in lost:
            # The kernel sends from a new IPv6 address a moment before it receives at it.
            outcomes = set(seen.outcomes(source=address)) - {"timeout"}
            self.assertEqual(outcomes, {"reply", "bad_source"})
        self.assert_accounts(seen)

    def test_a_process_that_was_stopped_has_the_replies_that_came_in_time(self):
        # Some five requests of each pair are under way at any time.
        replying = [f"10.213.3.{tens}" for tens in range(45, 63)]
        config = settings() + group("g", timeout="1s", destinations=replying)
        config += group("silent", timeout="1s", destinations=["10.213.4.1"])
        with exporter.Exporter(config) as daemon:
            before = daemon.wait_until(
                "many under way",
                lambda seen: seen.total("icmp_echo_in_flight", group="g") > 3 * len(replying),
            )
            daemon.send(signal.SIGSTOP)
            time.sleep(STOPPED)
            daemon.send(signal.SIGCONT)
            seen = daemon.wait_until(
                "requests after it",
                lambda seen: seen.finished(group="g") > before.finished(group="g") + 500
                and seen.finished(group="silent") > before.finished(group="silent") + 20,
            )
        self.assertEqual(set(seen.outcomes(group="g")), {"reply"})
        self.assertEqual(seen.total("icmp_echo_late_replies_total"), 0)
        self.assertEqual(set(seen.outcomes(group="silent")), {"timeout"})
        bounds = {"group": "g", "le": "1"}
        self.assertEqual(
            seen.total("icmp_echo_rtt_seconds_bucket", **bounds), seen.outcomes(group="g")["reply"]
        )
        self.assert_accounts(seen)

    def test_routes_change(self):
        destinations = ["10.213.1.131", "fd00:213::1:131"]
        config = group("g", destinations=destinations) + group(
            "steady", destinations=["10.213.1.132", "fd00:213::1:132"]
        )
        kinds = {"unreachable": "host_unreachable", "prohibit": "prohibited"}
        with exporter.Exporter(config) as daemon:
            for destination in destinations:
                for kind, outcome in kinds.items():
                    with self.subTest(destination=destination, kind=kind):
                        self.wait_for_replies_only(daemon, destination=destination)
                        with network.route(kind, destination):
                            self.wait_for_outcome(daemon, outcome, destination=destination)
                        self.wait_for_replies_only(daemon, destination=destination)
            seen = daemon.scrape()
        for destination in destinations:
            self.assertEqual(
                set(seen.outcomes(destination=destination)), {"reply", *kinds.values()}
            )
        self.assertEqual(seen.outcomes_of_sent(group="steady"), {"reply"})
        self.assert_accounts(seen)

    def test_a_full_queue_of_the_device(self):
        destinations = addresses(1, 20) + ["fd00:213::1:133", "fd00:213::1:134"]
        config = group("g", interval="20ms", timeout="1s", destinations=destinations)
        with exporter.Exporter(config) as daemon:
            self.wait_for_replies_only(daemon)
            # Ten packets or so a second, and room for as many.
            shape = ("tbf", "rate", "8kbit", "burst", "1600", "limit", "1600")
            network.tc("qdisc", "add", "dev", network.DEVICE, "root", *shape)
            self.wait_for_outcome(daemon, "no_resources", destination=destinations[0])
            # Of IPv6 datagram sockets the kernel keeps it for itself
            # (icmpv6_push_pending_frames() of net/ipv6/icmp.c), and nothing comes.
            outcome = {"raw": "no_resources", "datagram": "timeout"}[network.SOCKETS]
            self.wait_for_outcome(daemon, outcome, destination=destinations[-1])
            network.tc("qdisc", "delete", "dev", network.DEVICE, "root")
            self.wait_for_replies_only(daemon)
            seen = daemon.scrape()
            self.assert_accounts(seen)
            outcomes = seen.outcomes()
            self.assertLessEqual(set(outcomes), {"reply", "no_resources", "timeout"})
        # What was refused was not sent; what the queue still had went with it.
        seen_by_network = sum(one["requests"] for one in self.net.final_stats().values())
        self.assertGreaterEqual(seen_by_network, outcomes["reply"])
        self.assertLess(seen_by_network, sum(outcomes.values()))

    def test_a_wall_clock_that_is_set_changes_nothing(self):
        at_once, delayed = "10.213.1.135", "10.213.2.50"
        config = '[metrics]\nrtt_buckets = [0.049, 4]\n' + group(
            "g", destinations=[at_once, delayed, "fd00:213::1:135"]
        )
        with exporter.Exporter(config, env={"LD_PRELOAD": str(network.WALL_CLOCK)}) as daemon:
            self.wait_for_replies_only(daemon)
            for times in (1, 2, 3):  # ahead, back, ahead
                daemon.send(signal.SIGUSR2)
                daemon.wait_for_log("wall clock: ", times)
                self.wait_for_replies_only(daemon)
            seen = daemon.scrape()
        self.assertEqual(seen.outcomes_of_sent(), {"reply"})
        self.assert_accounts(seen)
        for address in (at_once, delayed):
            buckets = dict(
                (labels["le"], value)
                for labels, value in seen.series(
                    "icmp_echo_rtt_seconds_bucket", destination=address
                )
            )
            self.assertEqual(buckets["4"], buckets["+Inf"], address)
            sum_of_all = seen.value("icmp_echo_rtt_seconds_sum", destination=address)
            self.assertGreater(sum_of_all, 0, address)
        self.assertEqual(buckets["0.049"], 0, "no reply can be sooner than it is sent")
        # An hour of ticks would be 108,000 of them.
        most = 1000 if processes.FULL else 50_000
        self.assertLess(seen.total("echo_exporter_schedule_missed_total"), most)
        for histogram in ("schedule_lag", "completion_delay"):
            name = f"echo_exporter_{histogram}_seconds"
            self.assertEqual(
                seen.value(name + "_bucket", le="10"), seen.value(name + "_count"), name
            )


class ManyTest(Case):
    """10,000 pairs at once."""

    def setUp(self):
        self.net = self.enterContext(network.ScriptedNetwork())

    def probe_many(self, destinations, rounds, more=""):
        """Probes until each has had so many outcomes; returns the scrape and the exporter."""
        config = settings(max_in_flight=2 * MANY, drain_timeout='"60s"') + group(
            "many", interval="1s", timeout="1s", destinations=destinations
        )
        daemon = self.enterContext(exporter.Exporter(config + more))
        seen = daemon.wait_until(
            "outcomes", lambda seen: seen.finished(group="many") >= rounds * MANY
        )
        self.assertEqual(len(seen.series("icmp_echo_requests_total", group="many")), MANY)
        self.assert_accounts(seen)
        missed = seen.total("echo_exporter_schedule_missed_total")
        print(f"[missed {missed:.0f}] ", end="", flush=True)
        if processes.FULL:
            self.assertEqual(missed, 0)
        self.assertEqual(seen.value("echo_exporter_receive_drops_total"), 0)
        return seen, daemon

    def test_silent_addresses_are_timeouts(self):
        seen, _ = self.probe_many(addresses(200, MANY), rounds=4)
        self.assertEqual(set(seen.outcomes()), {"timeout"})

    def test_unreachable_addresses_are_unreachable_and_nobody_else_is(self):
        destinations = addresses(128, MANY // 2)
        destinations += [f"fd00:213::128:{i}" for i in range(MANY // 2)]
        live = addresses(1, 50) + [f"fd00:213::1:{i}" for i in range(1, 51)]
        seen, _ = self.probe_many(destinations, 20, group("live", destinations=live))
        self.assertEqual(set(seen.outcomes(group="many")), {"host_unreachable"})
        self.assertEqual(seen.outcomes_of_sent(group="live"), {"reply"})
        # No request can have ended by an error that was not yet sent.
        self.assertGreaterEqual(
            sum(one["errors"] for one in self.net.stats().values()),
            seen.finished(group="many"),
        )

    def test_the_signal_to_stop_ends_it_with_nothing_in_flight(self):
        _, daemon = self.probe_many(addresses(200, MANY), rounds=1)
        daemon.wait_until(
            "all in flight", lambda seen: seen.total("icmp_echo_in_flight") > 0.95 * MANY
        )
        asked = time.monotonic()
        daemon.send(signal.SIGTERM)
        self.assertEqual(daemon.process.wait(processes.PATIENCE), 0)
        took = time.monotonic() - asked
        print(f"{took:.2f} s ", end="", flush=True)
        self.assertIn("msg=stopped in_flight=0", daemon.log_text())
        if processes.FULL:
            self.assertLess(took, 2)


class StrayRepliesTest(Case):
    def test_late_and_duplicate_replies_are_counted_exactly(self):
        late = ["10.213.6.1", "10.213.6.2", "fd00:213::6:1"]
        twice = ["10.213.7.1", "10.213.7.2", "fd00:213::7:1"]
        config = group("late", timeout="50ms", destinations=late)
        config += group("in time", destinations=twice + ["10.213.1.1"])
        names = {
            "late": "icmp_echo_late_replies_total",
            "twice": "icmp_echo_duplicate_replies_total",
        }
        with network.ScriptedNetwork(late_ms=700) as net, exporter.Exporter(config) as daemon:
            daemon.wait_until(
                "some of each",
                lambda seen: all(
                    seen.value(names["late"], destination=a) >= 20 for a in late
                )
                and all(seen.value(names["twice"], destination=a) >= 20 for a in twice),
            )
            # From here on nothing gets there, so that what was sent can be counted.
            for destination in late + twice:
                self.enterContext(network.route("prohibit", destination))
            for destination in late + twice:
                self.wait_for_outcome(daemon, "prohibited", destination=destination)
            stats = net.final_stats()
            expected = {
                **{(names["late"], a): stats[a]["replies"] for a in late},
                **{(names["twice"], a): stats[a]["replies"] / 2 for a in twice},
            }

            def counted(seen):
                return {
                    (name, address): seen.value(name, destination=address)
                    for name, address in expected
                }

            daemon.wait_until("all are counted", lambda seen: counted(seen) == expected)
            self.wait_for_outcome(daemon, "reply", destination="10.213.1.1")
            seen = daemon.scrape()
        self.assertEqual(counted(seen), expected)
        for address in late:
            self.assertEqual(set(seen.outcomes(destination=address)), {"timeout", "prohibited"})
            self.assertEqual(
                seen.outcomes(destination=address)["timeout"], stats[address]["requests"]
            )
            self.assertEqual(seen.value(names["twice"], destination=address), 0)
        for address in twice:
            self.assertEqual(seen.value(names["late"], destination=address), 0)
        for name in names.values():
            self.assertEqual(seen.value(name, destination="10.213.1.1"), 0)
        self.assert_accounts(seen)


class FloodTest(Case):
    SECONDS = 4

    def test_forged_replies_fool_nobody(self):
        config = settings(max_in_flight=65_000)  # for a large receive buffer
        config += group("silent", timeout="300ms", destinations=addresses(4, 50))
        config += group("live", destinations=addresses(1, 50) + ["10.213.2.25"])
        with network.ScriptedNetwork(), exporter.Exporter(config) as daemon:
            self.wait_for_replies_only(daemon, group="live")
            before = daemon.scrape()
            command = [network.REPLY_FLOOD, network.DEVICE, str(self.SECONDS)]
            sent = collections.Counter()
            while sent["forged"] <= 10_000:
                flood = subprocess.run(command, capture_output=True, check=True)
                sent.update(json.loads(flood.stdout))
            print(f"{dict(sent)} ", end="", flush=True)
            self.wait_for_replies_only(daemon, group="live")
            seen = daemon.scrape()

        def grown(name):
            return seen.value(name) - before.value(name)

        # Each that had our identifier is counted, or was lost in the full buffer of a busy machine.
        lost = grown("echo_exporter_receive_drops_total")
        self.assertEqual(
            grown("echo_exporter_foreign_replies_total") + lost, sent["forged"] + sent["foreign"]
        )
        silent = seen.outcomes(group="silent")
        self.assertLessEqual(set(silent), {"timeout", "corrupt_reply"})
        self.assertGreater(silent["corrupt_reply"], 0)
        live = seen.outcomes(group="live")
        self.assertLessEqual(seen.finished(group="live") - live["reply"], lost, live)
        self.assertEqual(seen.total("icmp_echo_late_replies_total"), 0)
        self.assertEqual(seen.total("icmp_echo_duplicate_replies_total"), 0)
        self.assert_accounts(seen)
