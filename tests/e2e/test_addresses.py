"""Where requests go from and to: sources, adapters, names, and what is in the packets."""

import socket
import unittest

import expectations
import exporter
import network
import processes


def setUpModule():
    global net
    net = unittest.enterModuleContext(network.ScriptedNetwork())


def info(seen, **labels):
    """The labels of the one series of icmp_echo_pair_info with these labels; None: no such."""
    found = seen.series("icmp_echo_pair_info", **labels)
    return found[0][0] if found else None


class WireTest(unittest.TestCase):
    """What the network saw of requests with these options."""

    def test_requests_are_as_configured(self):
        cases = {
            "10.213.1.101": {"ttl": 1, "payload_size": 0},
            "10.213.1.102": {"ttl": 255, "payload_size": 1},
            "10.213.1.103": {"ttl": 33, "payload_size": 1472, "dont_fragment": True},
            "10.213.1.104": {"ttl": 128, "payload_size": 65500},
            "10.213.1.105": {},
            "10.213.1.106": {"tos": 184},
            "10.213.1.107": {"tos": 255, "dont_fragment": True},
        }
        if expectations.here(expectations.IPV6):
            cases |= {
                "fd00:213::1:101": {"ttl": 1, "payload_size": 0},
                "fd00:213::1:102": {"ttl": 255, "payload_size": 1, "tos": 184},
                "fd00:213::1:103": {"ttl": 33, "payload_size": 1472, "dont_fragment": True},
                "fd00:213::1:104": {"ttl": 128, "payload_size": 65487},
                "fd00:213::1:105": {},
            }
        config = "".join(
            exporter.group(address, destinations=[address], **keys)
            for address, keys in cases.items()
        )
        with exporter.Exporter(config) as daemon:
            seen = daemon.wait_until(
                "a reply of each",
                lambda seen: all(seen.value("icmp_echo_up", destination=a) for a in cases),
            )
        sent = net.stats()
        for address, keys in cases.items():
            with self.subTest(address=address, **keys):
                request = sent[address]["last_request"]
                self.assertEqual(seen.outcomes_of_sent(destination=address), {"reply"})
                self.assertEqual(request["ttl"], keys.get("ttl", 128))
                self.assertEqual(request["payload_size"], keys.get("payload_size", 32))
                tos = keys.get("tos", 0) if expectations.here(expectations.TOS) else 0
                self.assertEqual(request["tos"], tos)
                # In IPv6 there is no such flag: no router fragments.
                fragments = not keys.get("dont_fragment", False) and "." in address
                fragments &= expectations.here(expectations.FRAGMENTS_ALLOWED)
                self.assertEqual(request["dont_fragment"], not fragments)
                source = network.SOURCE if "." in address else network.SOURCE6
                self.assertEqual(request["source"], source)

    def test_the_exporter_says_how_it_sends(self):
        with exporter.Exporter("") as daemon:
            seen = daemon.scrape()
        mechanisms = {
            labels["ip_version"]: labels["mechanism"]
            for labels, _ in seen.series("echo_exporter_transport_info")
        }
        self.assertEqual(mechanisms, expectations.here(expectations.MECHANISMS))


class SourcesTest(unittest.TestCase):
    def test_addresses_and_adapters_are_sources(self):
        config = (
            "[sources]\n"
            f'by_address = "{network.OTHER_SOURCE}"\n'
            f'by_adapter = {{ interface = "{network.DEVICE}" }}\n'
            'loopback = { interface = "lo" }\n'
            + exporter.group(
                "many",
                sources=["auto", "by_address", "by_adapter", network.SOURCE],
                destinations=["10.213.1.1", "10.213.2.25"],
                labels={"site": "here"},
            )
            + exporter.group("host", sources=["loopback"], destinations=["127.0.0.1"])
        )
        expected = {
            "auto": "",
            "by_address": network.OTHER_SOURCE,
            "by_adapter": network.SOURCE,
            network.SOURCE: network.SOURCE,
            "loopback": "127.0.0.1",
        }
        with exporter.Exporter(config) as daemon:
            seen = daemon.wait_until(
                "all up", lambda seen: seen.total("icmp_echo_up") == 2 * 4 + 1
            )
        for source, address in expected.items():
            for labels, _ in seen.series("icmp_echo_pair_info", source=source):
                self.assertEqual(labels["source_address"], address)
                self.assertEqual(labels["destination_address"], labels["destination"])
                self.assertEqual(labels["ip_version"], "4")
        self.assertEqual(len(seen.series("icmp_echo_requests_total", site="here")), 8)

    def test_requests_leave_from_their_source(self):
        sources = {"10.213.1.110": network.OTHER_SOURCE}
        if expectations.here(expectations.IPV6):
            sources["fd00:213::1:110"] = network.OTHER_SOURCE6
        config = "".join(
            exporter.group(destination, sources=[source], destinations=[destination])
            for destination, source in sources.items()
        )
        with exporter.Exporter(config) as daemon:
            daemon.wait_until(
                "replies", lambda seen: seen.total("icmp_echo_up") == len(sources)
            )
        for destination, source in sources.items():
            with self.subTest(destination=destination):
                seen = net.stats()[destination]["last_request"]["source"]
                if expectations.here(expectations.SOURCE_ON_THE_WIRE):
                    self.assertEqual(seen, source)
                else:
                    self.assertEqual(seen, network.SOURCE)

    def test_requests_leave_from_the_address_of_their_adapter(self):
        ipv6 = expectations.here(expectations.IPV6)
        destinations = ["10.213.1.114"] + (["fd00:213::1:114"] if ipv6 else [])
        config = (
            f'[sources]\nadapter = {{ interface = "{network.DEVICE}" }}\n'
            + exporter.group("g", sources=["adapter"], destinations=destinations)
        )
        with exporter.Exporter(config) as daemon:
            seen = daemon.wait_until(
                "replies", lambda seen: seen.total("icmp_echo_up") == len(destinations)
            )
        for labels, _ in seen.series("icmp_echo_pair_info"):
            request = net.stats()[labels["destination"]]["last_request"]
            self.assertEqual(request["source"], labels["source_address"])

    def test_an_address_of_another_host_is_a_bad_source(self):
        config = exporter.group("absent", sources=["192.0.2.1"], destinations=["10.213.1.111"])
        with exporter.Exporter(config) as daemon:
            seen = daemon.wait_until("an outcome", lambda seen: seen.finished())
        self.assertEqual(
            set(seen.outcomes()), {expectations.here(expectations.ABSENT_SOURCE)}
        )

    def test_an_adapter_that_is_not_there_is_a_bad_source_and_nothing_else_fails(self):
        config = (
            '[sources]\nabsent = { interface = "Ethernet 99" }\n'
            + exporter.group(
                "g", sources=["absent", "auto"], destinations=["10.213.1.112"], interval="100ms"
            )
        )
        with exporter.Exporter(config) as daemon:
            seen = daemon.wait_until(
                "outcomes",
                lambda seen: seen.finished(source="absent") > 10
                and seen.finished(source="auto") > 10
                and seen.value("echo_exporter_resolve_failures_total"),
            )
        self.assertEqual(set(seen.outcomes(source="absent")), {"bad_source"})
        self.assertEqual(seen.outcomes_of_sent(source="auto"), {"reply"})
        self.assertIsNone(info(seen, source="absent"))

    def test_the_address_of_an_adapter_is_followed(self):
        config = (
            f'[sources]\nwan = {{ interface = "{network.DEVICE}" }}\n'
            + exporter.group(
                "g", sources=["wan"], destinations=["10.213.1.113"], interval="100ms"
            )
        )

        def has_address(address):
            return lambda seen: (
                (info(seen, source="wan") or {}).get("source_address") == address
            )

        def fails_by(outcome):
            return lambda seen: (
                info(seen, source="wan") is None
                and seen.outcomes().get(outcome)
                and not seen.value("icmp_echo_up")
            )

        with exporter.Exporter(config) as daemon:
            daemon.wait_until("its address", has_address(network.SOURCE))
            network.ip("-4", "address", "flush", "dev", network.DEVICE)
            self.addCleanup(
                network.ip, "address", "replace", f"{network.SOURCE}/16", "dev", network.DEVICE
            )
            daemon.wait_until("no address", fails_by("bad_source"))
            network.ip("address", "add", "10.213.0.9/16", "dev", network.DEVICE)
            self.addCleanup(
                network.ip, "address", "delete", "10.213.0.9/16", "dev", network.DEVICE
            )
            daemon.wait_until("the new address", has_address("10.213.0.9"))
            daemon.wait_until("replies", lambda seen: seen.value("icmp_echo_up"))
        self.assertEqual(
            net.stats()["10.213.1.113"]["last_request"]["source"], "10.213.0.9"
        )


class NamesTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(network.set_hosts, {})

    def config(self, *destinations):
        defaults = '[defaults]\ndns_refresh = "1s"\ninterval = "100ms"\n'
        return defaults + exporter.group("names", destinations=destinations)

    def test_a_name_is_followed_to_its_new_address(self):
        network.set_hosts({"moving.example": "10.213.1.120"})
        with exporter.Exporter(self.config("moving.example")) as daemon:
            seen = daemon.wait_until("a reply", lambda seen: seen.total("icmp_echo_up"))
            self.assertEqual(info(seen)["destination_address"], "10.213.1.120")
            self.assertEqual(info(seen)["destination"], "moving.example")
            network.set_hosts({"moving.example": "10.213.1.121"})
            daemon.wait_until(
                "the new address", lambda seen: info(seen)["destination_address"] == "10.213.1.121"
            )
            processes.wait_for("requests to it", lambda: net.requests("10.213.1.121"))
            before = net.requests("10.213.1.120")
            requests = net.requests("10.213.1.121")
            processes.wait_for(
                "more requests to it", lambda: net.requests("10.213.1.121") > requests + 5
            )
            self.assertEqual(net.requests("10.213.1.120"), before)
            seen = daemon.scrape()
        self.assertEqual(seen.outcomes_of_sent(), {"reply"})

    def test_the_last_good_address_is_kept_when_a_refresh_fails(self):
        network.set_hosts({"leaving.example": "10.213.1.122"})
        with exporter.Exporter(self.config("leaving.example")) as daemon:
            daemon.wait_until("a reply", lambda seen: seen.total("icmp_echo_up"))
            network.set_hosts({})
            failed = daemon.wait_until(
                "failed refreshes",
                lambda seen: seen.value("echo_exporter_resolve_failures_total") >= 2,
            )
            seen = daemon.wait_until(
                "more replies", lambda seen: seen.finished() > failed.finished() + 5
            )
            self.assertEqual(info(seen)["destination_address"], "10.213.1.122")
            self.assertEqual(seen.outcomes_of_sent(), {"reply"})
            self.assertEqual(exporter.get("/-/ready")[0], 200)
            self.assertEqual(seen.value("echo_exporter_stale_lookups"), 1)
            network.set_hosts({"leaving.example": "10.213.1.122"})
            daemon.wait_until(
                "a good refresh", lambda seen: seen.value("echo_exporter_stale_lookups") == 0
            )

    def test_a_name_that_does_not_resolve_yet_holds_nothing_up(self):
        config = self.config("later.example", "10.213.1.123")
        with exporter.Exporter(config) as daemon:
            seen = daemon.wait_until(
                "failures beside replies",
                lambda seen: seen.value("echo_exporter_resolve_failures_total")
                and seen.finished(destination="10.213.1.123") > 10,
            )
            self.assertEqual(seen.outcomes_of_sent(), {"reply"})
            name = {"destination": "later.example"}
            self.assertEqual(seen.value("icmp_echo_requests_total", **name), 0)
            self.assertIsNone(info(seen, **name))
            self.assertEqual(seen.value("echo_exporter_stale_lookups"), 0, "it has no address")
            self.assertGreater(
                seen.value("echo_exporter_schedule_missed_total", reason="unresolved"), 0
            )
            network.set_hosts({"later.example": "10.213.1.124"})
            daemon.wait_until("replies", lambda seen: seen.value("icmp_echo_up", **name))

    def test_names_that_hang_hold_nothing_else_up(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 53))
        self.addCleanup(network.set_name_server)
        network.set_name_server(timeout=30)
        network.set_hosts({"alive.example": "10.213.1.125"})
        config = (
            f'[sources]\nadapter = {{ interface = "{network.DEVICE}" }}\n'
            + self.config(*(f"dead{i}.example" for i in range(60)))
            + exporter.group(
                "alive", sources=["adapter"], destinations=["alive.example"], interval="100ms"
            )
        )
        # Four at a time, those that hang would take more than this test's patience.
        with exporter.Exporter(config) as daemon:
            alive = {"destination": "alive.example"}
            daemon.wait_until("a reply", lambda seen: seen.value("icmp_echo_up", **alive))
            network.set_hosts({"alive.example": "10.213.1.126"})
            daemon.wait_until(
                "the new address",
                lambda seen: info(seen, **alive)["destination_address"] == "10.213.1.126",
            )

    def test_what_no_host_has_is_refused_with_one_line(self):
        network.set_hosts({"null.example": "0.0.0.0"})
        failures = "echo_exporter_resolve_failures_total"
        with exporter.Exporter(self.config("null.example")) as daemon:
            seen = daemon.wait_until(
                "failed lookups", lambda seen: (seen.value(failures) or 0) >= 3
            )
        self.assertEqual(seen.total("icmp_echo_requests_total"), 0)
        self.assertEqual(daemon.log_text().count("not an address that a host can have"), 1)

    def test_a_name_may_be_internationalised(self):
        network.set_hosts({"xn--bcher-kva.example": "10.213.1.127"})
        with exporter.Exporter(self.config("bücher.example")) as daemon:
            daemon.wait_until(
                "a reply", lambda seen: seen.value("icmp_echo_up", destination="bücher.example")
            )

    def test_a_name_without_the_ip_version_is_told_of_once(self):
        network.set_hosts({"four.example": "10.213.1.128"})
        config = exporter.group(
            "g", destinations=["four.example"], ip_version="6", interval="100ms", dns_refresh="1s"
        )
        reason = "no usable address"
        with exporter.Exporter(config) as daemon:
            daemon.wait_for_log(reason)
            network.set_hosts({"four.example": "10.213.1.129"})
            daemon.wait_until(
                "missed ticks",
                lambda seen: (
                    seen.value("echo_exporter_schedule_missed_total", reason="unresolved") or 0
                )
                > 30,
            )
        self.assertEqual(daemon.log_text().count(reason), 1)


class ZonesTest(unittest.TestCase):
    DEVICE = "zoned0"

    def make_adapter(self):
        network.ip("link", "add", self.DEVICE, "type", "veth", "peer", "name", "zoned1")
        network.ip("link", "set", self.DEVICE, "up")
        network.ip("link", "set", "zoned1", "up")
        network.ip("address", "add", "fe80::99/64", "dev", self.DEVICE, "nodad")
        return socket.if_nametoindex(self.DEVICE)

    @unittest.skipUnless(expectations.here(expectations.IPV6), "no IPv6")
    def test_the_zone_of_an_adapter_is_followed(self):
        self.addCleanup(network.ip, "link", "delete", self.DEVICE)
        number = self.make_adapter()
        address = f"fe80::99%{self.DEVICE}"
        config = exporter.group(
            "zones", sources=["auto", address], destinations=[address], interval="100ms"
        )

        def all_up(seen):
            found = [labels for labels, _ in seen.series("icmp_echo_pair_info")]
            return seen.total("icmp_echo_up") == 2 and {
                labels["destination_address"] for labels in found
            } == {f"fe80::99%{number}"}

        with exporter.Exporter(config) as daemon:
            daemon.wait_until("replies", all_up)
            network.ip("link", "delete", self.DEVICE)
            seen = daemon.wait_until("none", lambda seen: seen.total("icmp_echo_up") == 0)
            self.assertIn("bad_source", seen.outcomes(source=address))
            before = number
            number = self.make_adapter()
            self.assertNotEqual(number, before)
            daemon.wait_until("replies again", all_up)
            query = f"/probe?target={address.replace('%', '%25')}"
            self.assertIn("probe_success 1", exporter.get(query)[1])
            code, out, _ = exporter.run("ping", "-c", "1", "-I", address, address)
            self.assertEqual(code, 0, out)
