"""Routers on the way that know flows: redirects, address translation over two uplinks, and firewalls
that drop what is new. The flow of an echo request is its addresses and its ICMP identifier."""

import pathlib
import subprocess
import unittest

import expectations
import exporter
import network
import scrape

HOSTS = [f"192.0.2.{host}" for host in range(1, 6)]
STUCK = "192.0.2.100"
UPLINKS = ("1", "2")


def load_tests(_loader, tests, _pattern):
    return tests if expectations.here(expectations.ROBUSTNESS) else unittest.TestSuite()


class RedirectTest(unittest.TestCase):
    """A router that redirects has forwarded the request, and so has one with a full queue."""

    def test_messages_that_are_no_errors_end_nothing(self):
        warned = [f"10.213.14.{code}" for code in range(4)] + ["10.213.15.1"]
        # The kernel leaves the error number of each redirect to whatever is sent next.
        others = [f"10.213.1.{host}" for host in range(1, 41)]
        config = exporter.group("warned", destinations=warned, interval="50ms")
        config += exporter.group("others", destinations=others, interval="50ms")
        with network.ScriptedNetwork() as net, exporter.Exporter(config) as daemon:
            seen = daemon.wait_until(
                "requests",
                lambda seen: min(seen.finished(destination=a) for a in warned + others) > 100,
            )
            self.assertEqual(seen.outcomes_of_sent(), {"reply"})
            self.assertEqual(seen.total("icmp_echo_late_replies_total"), 0)
            self.assertEqual(scrape.accounting_errors(seen), [])
            for address in warned:
                self.assertGreater(net.stats()[address]["errors"], 50)

    def test_a_reply_that_came_before_an_error_counts(self):
        destinations = [f"10.213.16.{host}" for host in range(1, 11)]
        destinations += [f"fd00:213::16:{host}" for host in range(1, 11)]
        config = exporter.group("g", destinations=destinations, interval="50ms")
        with network.ScriptedNetwork(), exporter.Exporter(config) as daemon:
            seen = daemon.wait_until("requests", lambda seen: seen.finished() > 1000)
            self.assertEqual(seen.outcomes_of_sent(), {"reply"})
            self.assertEqual(scrape.accounting_errors(seen), [])


class Routed(unittest.TestCase):
    """This host, a router that translates addresses, its two uplinks, and hosts that answer."""

    def setUp(self):
        # Names of namespaces that end with ours.
        names = pathlib.Path("/run/netns")
        names.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", names], check=True)
        self.addCleanup(subprocess.run, ["umount", names], check=True)
        for name in ("router", "far"):
            network.ip("netns", "add", name)
            self.addCleanup(network.ip, "netns", "delete", name)
            network.ip("-n", name, "link", "set", "lo", "up")
        network.ip(*"link add inside type veth peer name lan netns router".split())
        # At once, unlike devices of a namespace that ends.
        self.addCleanup(network.ip, "link", "delete", "inside")
        network.ip(*"address add 10.99.0.2/24 dev inside".split())
        network.ip(*"link set inside up".split())
        for uplink in UPLINKS:
            peer = f"peer name up{uplink} netns far"
            network.ip(*f"-n router link add up{uplink} type veth {peer}".split())
            for name, host in (("router", 1), ("far", 2)):
                address = f"10.99.{uplink}.{host}/24"
                network.ip("-n", name, "address", "add", address, "dev", f"up{uplink}")
                network.ip("-n", name, "link", "set", f"up{uplink}", "up")
        network.ip(*"-n router address add 10.99.0.1/24 dev lan".split())
        network.ip(*"-n router link set lan up".split())
        for address in HOSTS + [STUCK]:
            network.ip("-n", "far", "address", "add", address + "/32", "dev", "lo")
        network.ip(*"route add default via 10.99.0.1".split())
        self.use_uplink("1", "add")
        forward = ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]
        subprocess.run(["ip", "netns", "exec", "router", *forward], check=True)
        self.nft("router", "add table ip t")
        self.nft("router", "add chain ip t forward { type filter hook forward priority 0; }")
        self.nft("router", "add chain ip t out { type nat hook postrouting priority 100; }")
        self.nft("far", "add table ip t")
        self.nft("far", "add chain ip t in { type filter hook prerouting priority -300; }")
        for uplink in UPLINKS:
            self.nft("router", f"add rule ip t out oifname up{uplink} snat to 10.99.{uplink}.1")
            # As providers do with sources that are not theirs.
            own = f"iifname up{uplink} ip saddr != 10.99.{uplink}.0/24"
            self.nft("far", f"add rule ip t in {own} drop")

    def use_uplink(self, uplink, how="replace"):
        via = f"192.0.2.0/24 via 10.99.{uplink}.2"
        network.ip(*f"-n router route {how} {via}".split())

    def nft(self, namespace, rule):
        subprocess.run(["ip", "netns", "exec", namespace, "nft", rule], check=True)


class FailoverTest(Routed):
    def test_pairs_come_back_behind_a_router_that_changes_its_uplink(self):
        config = '[defaults]\ninterval = "100ms"\ntimeout = "300ms"\n'
        config += exporter.group("g", destinations=HOSTS)
        config += exporter.group("stuck", destinations=[STUCK], flow_renew_after=0)
        with exporter.Exporter(config) as daemon:
            daemon.wait_until("replies", lambda seen: all_reply(seen, HOSTS + [STUCK]))
            self.use_uplink("2")
            daemon.wait_until(
                "other identifiers",
                lambda seen: seen.total("icmp_echo_flow_renewals_total") >= len(HOSTS),
            )
            renewed = daemon.wait_until(
                "replies again",
                lambda seen: all_reply(seen, HOSTS)
                and not seen.total("icmp_echo_up", group="stuck"),
            )
            # Each refreshes the state that the router has of it.
            before = renewed.outcomes(group="stuck")
            seen = daemon.wait_until(
                "losses of one that does not renew",
                lambda seen: seen.finished(group="stuck") > renewed.finished(group="stuck") + 30,
            )
            self.assertEqual(seen.outcomes(group="stuck")["reply"], before["reply"])
            for address in HOSTS:
                renewals = seen.value("icmp_echo_flow_renewals_total", destination=address)
                self.assertGreaterEqual(renewals, 1)
            self.assertEqual(seen.total("icmp_echo_flow_renewals_total", group="stuck"), 0)
            # What begins now has no state.
            self.assertIn("\nprobe_success 1\n", daemon.get(f"/probe?target={STUCK}")[1])
            self.assertEqual(exporter.run("ping", "-c", "1", STUCK)[0], 0)
            self.assertEqual(scrape.accounting_errors(seen), [])


class NewFlowsTest(Routed):
    def test_fresh_flows_show_that_new_ones_are_dropped(self):
        config = '[defaults]\ntimeout = "200ms"\n'
        config += exporter.group("steady", destinations=HOSTS, interval="100ms")
        config += exporter.group("fresh", destinations=HOSTS, interval="500ms", flow="fresh")
        with exporter.Exporter(config) as daemon:
            daemon.wait_until("replies", lambda seen: all_reply(seen, HOSTS))
            self.nft("router", "add rule ip t forward ct state new drop")
            dropped = daemon.wait_until(
                "losses", lambda seen: seen.total("icmp_echo_up", group="fresh") == 0
            )
            seen = daemon.wait_until(
                "losses of each",
                lambda seen: seen.finished(group="fresh") > dropped.finished(group="fresh") + 50,
            )
            self.assertEqual(
                seen.outcomes(group="fresh")["reply"], dropped.outcomes(group="fresh")["reply"]
            )
            self.assertEqual(seen.outcomes_of_sent(group="steady"), {"reply"})
            self.assertIn("\nprobe_success 0\n", daemon.get(f"/probe?target={HOSTS[0]}")[1])
            self.assertEqual(scrape.accounting_errors(seen), [])


def all_reply(seen, destinations):
    return all(seen.total("icmp_echo_up", destination=a) > 0 for a in destinations)
