"""The formats of /metrics and /probe, native histograms, and scrapes in parts."""

import gzip
import math
import re
import unittest
import urllib.request

import expectations
import exporter
import network
import processes
import prometheus
import protobuf
import scrape

DEPLOYED = processes.ROOT / "deploy/prometheus/sharding.yml"
OFTEN = '[defaults]\ninterval = "1s"\ntimeout = "2s"\n'
# One request of some pair in 36 s: nearly nothing changes.
ONCE = OFTEN.replace("1s", "1h")
DELAYS = range(1, 101)  # ms
GROUPS = ("lan", "datacenter", "wan")
CONFIG = ONCE + "".join(
    exporter.group(
        name,
        destinations=[f"10.213.2.{delay}" for delay in DELAYS if delay % len(GROUPS) == index],
        labels=expectations.LABELS,
    )
    for index, name in enumerate(GROUPS)
)
FACTOR = 1.1
# What differs from one request to the next.
UNSTEADY = re.compile(r"process_|echo_exporter_(http_requests|completion_delay|schedule)")


def setUpModule():
    global daemon
    unittest.enterModuleContext(network.ScriptedNetwork())
    often = CONFIG.replace(ONCE, OFTEN)
    daemon = unittest.enterModuleContext(exporter.Exporter(often))
    daemon.wait_until("a reply of each", all_answered)
    header = daemon.config_file.read_text().removesuffix(often)
    daemon.config_file.write_text(header + CONFIG)
    status, text = exporter.get("/-/reload", method="POST")
    assert status == 200, text
    daemon.wait_until("nothing under way", lambda seen: seen.total("icmp_echo_in_flight") == 0)


def all_answered(seen):
    return seen.total("icmp_echo_up") == len(DELAYS)


def fetch(path, **headers):
    """Returns the headers and the body of a page."""
    request = urllib.request.Request(
        f"http://{exporter.ADDRESS}{path}",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    with urllib.request.urlopen(request, timeout=processes.PATIENCE) as response:
        return response.headers, response.read()


def steady(samples):
    """What of these samples stays the same while no request ends."""
    return {
        key: value
        for key, value in protobuf.normal(samples).items()
        if not UNSTEADY.match(key[0])
    }


def at_one_moment():
    """The text and the families of protobuf between which no request ended."""

    def both():
        before = fetch("/metrics")[1].decode()
        families = protobuf.decode(fetch("/metrics", Accept=protobuf.ACCEPT)[1])
        after = fetch("/metrics")[1].decode()
        same = steady(protobuf.text_samples(before)) == steady(protobuf.text_samples(after))
        return (after, families) if same else None

    return processes.wait_for("a moment at which no request ends", both)


def round_trips(seen):
    """The bounds of all round-trip times: two lists, each ascending. A reply takes what the network
    is told to wait at the least, and at the most what the others of its pair leave of their sum."""
    sums = {labels["destination"]: value for labels, value in seen.series("icmp_echo_rtt_seconds_sum")}
    least, most = [], []
    for labels, replies in seen.series("icmp_echo_rtt_seconds_count"):
        address = labels["destination"]
        delay = int(address.rpartition(".")[2]) / 1000
        least += [delay] * int(replies)
        most += [sums[address] - (replies - 1) * delay] * int(replies)
    return sorted(least), sorted(most)


class FormatsTest(unittest.TestCase):
    def test_text_and_protobuf_say_the_same(self):
        text, families = at_one_moment()
        self.assertEqual(protobuf.family_heads(families), protobuf.text_families(text))
        in_text = steady(protobuf.text_samples(text))
        in_protobuf = steady(protobuf.samples(families))
        self.assertGreater(len(in_text), 30 * len(DELAYS))
        self.assertEqual(in_protobuf.keys(), in_text.keys())
        for key, value in in_text.items():
            # A sum of nanoseconds is exact in the text only.
            self.assertAlmostEqual(in_protobuf[key], value, delta=abs(value) * 1e-15, msg=key)
        self.assertEqual(scrape.accounting_errors(scrape.Scrape(protobuf.samples(families))), [])

    def test_counters_and_histograms_tell_when_they_began(self):
        families = protobuf.decode(fetch("/metrics", Accept=protobuf.ACCEPT)[1])
        started = daemon.scrape().value("process_start_time_seconds")
        kinds = set()
        for family in families:
            kind = protobuf.one(family, "type").lower()
            for metric in family["metric"]:
                since = protobuf.one(protobuf.one(metric, kind), "created_timestamp")
                self.assertEqual(since is None, kind == "gauge")
                if since:
                    seconds = float(protobuf.one(since, "seconds"))
                    # To the second, in which a process may start and read the file.
                    self.assertLess(abs(seconds - started), processes.PATIENCE)
                    kinds.add(kind)
        self.assertEqual(kinds, {"counter", "histogram"})

    def test_native_buckets_hold_what_was_measured(self):
        text, families = at_one_moment()
        natives = 0
        last = {
            labels["destination"]: value
            for labels, value in scrape.Scrape.parse(text).series("icmp_echo_last_rtt_seconds")
        }
        for family in families:
            if protobuf.one(family, "type") != "HISTOGRAM":
                continue
            for metric in family["metric"]:
                histogram = protobuf.one(metric, "histogram")
                buckets = protobuf.native_buckets(histogram)
                zero = int(protobuf.one(histogram, "zero_count") or 0)
                total = zero + sum(count for _, _, count in buckets)
                self.assertEqual(total, int(protobuf.one(histogram, "sample_count")))
                self.assertEqual(protobuf.one(histogram, "schema"), "3")
                natives += 1
                if protobuf.one(family, "name") == "icmp_echo_rtt_seconds":
                    rtt = last[protobuf.labels_of(metric)["destination"]]
                    self.assertTrue(
                        any(
                            lower < rtt * (1 + 1e-12) and upper > rtt * (1 - 1e-12)
                            for lower, upper, _ in buckets
                        )
                    )
                    least = sum(lower * count for lower, _, count in buckets)
                    most = sum(upper * count for _, upper, count in buckets)
                    total = float(protobuf.one(histogram, "sample_sum"))
                    self.assertLess(least, total * (1 + 1e-12))
                    self.assertGreater(most, total * (1 - 1e-12))
        self.assertEqual(natives, 2 * len(DELAYS) + 2)

    def test_the_accept_header_decides(self):
        for accept, expected in (
            (None, "text/plain; version=0.0.4; charset=utf-8"),
            ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
            ("application/json", "text/plain; version=0.0.4; charset=utf-8"),
            (protobuf.ACCEPT + ";q=0.5,text/plain", "text/plain; version=0.0.4; charset=utf-8"),
            (protobuf.ACCEPT + ",text/plain;q=0.5", protobuf.CONTENT_TYPE),
        ):
            for path in ("/metrics?pairs=none", "/probe?target=10.213.1.1"):
                with self.subTest(accept=accept, path=path):
                    headers, body = fetch(path, **({"Accept": accept} if accept else {}))
                    self.assertEqual(headers["Content-Type"], expected)
                    self.assertIn("Accept", ", ".join(headers.get_all("Vary")).split(", "))
                    if expected == protobuf.CONTENT_TYPE:
                        self.assertTrue(protobuf.decode(body))

    def test_both_formats_are_compressed(self):
        for accept in ("text/plain", protobuf.ACCEPT):
            headers, body = fetch("/metrics?pairs=only", Accept=accept, Accept_Encoding="gzip")
            self.assertEqual(headers["Content-Encoding"], "gzip")
            self.assertEqual(
                set(", ".join(headers.get_all("Vary")).split(", ")), {"Accept", "Accept-Encoding"}
            )
            plain = fetch("/metrics?pairs=only", Accept=accept)[1]
            self.assertEqual(gzip.decompress(body), plain)

    def test_probe_in_protobuf(self):
        families = protobuf.decode(
            fetch("/probe?target=10.213.2.30&count=2", Accept=protobuf.ACCEPT)[1]
        )
        seen = scrape.Scrape(protobuf.samples(families))
        self.assertEqual(seen.value("probe_success"), 1)
        self.assertEqual(seen.value("probe_icmp_outcome", outcome="reply"), 2)
        self.assertGreaterEqual(seen.value("probe_icmp_rtt_min_seconds"), 0.027)


class PartsTest(unittest.TestCase):
    def test_parts_make_the_whole(self):
        whole = fetch("/metrics")[1].decode()
        pairs = fetch("/metrics?pairs=only")[1].decode()
        own = fetch("/metrics?pairs=none")[1].decode()
        self.assertTrue(whole.startswith(pairs))
        self.assertEqual(
            protobuf.text_families(whole),
            protobuf.text_families(pairs) + protobuf.text_families(own),
        )
        self.assertNotIn("icmp_echo_requests_total{", own)

        def samples(query):
            return protobuf.normal(protobuf.text_samples(fetch(f"/metrics?{query}")[1].decode()))

        def make_the_whole():
            lan, datacenter, wan = (samples(f"group={name}") for name in GROUPS)
            every = samples("pairs=only")
            return (
                len(lan) + len(datacenter) + len(wan) == len(every)
                and lan | datacenter | wan == every
                and lan | wan == samples("group=wan&group=lan")
            )

        processes.wait_for("the parts make the whole while no request ends", make_the_whole)

    def test_what_is_unknown_gets_a_sentence(self):
        for query in ("group=none", "group=", "name=a", "pairs=all", "group=lan&pairs=none"):
            status, text = exporter.get(f"/metrics?{query}")
            self.assertEqual(status, 400, query)
            self.assertRegex(text, r"^[A-Zp].*\.\n$")


class ShardingTest(unittest.TestCase):
    """Prometheus scrapes the parts, with the configuration that deploy/ ships."""

    def test_each_pair_is_in_one_job(self):
        text = re.sub(r"(scrape_interval|evaluation_interval): \w+", r"\1: 1s", DEPLOYED.read_text())
        self.assertEqual(text.count("- echo_exporter.rules.yml"), 1)
        text = text.replace("- echo_exporter.rules.yml", f"- {prometheus.RULES}")
        with prometheus.Prometheus(text) as server:
            server.wait_until(
                "every part", "icmp_echo_up", lambda result: len(result) == len(DELAYS)
            )
            server.wait_until("the exporter itself", "echo_exporter_pairs", bool)
            groups = server.query("count by (job, group) (icmp_echo_up)")
            self.assertEqual(
                {(labels["job"], labels["group"]) for labels, _ in groups},
                {
                    ("echo_pairs_near", "lan"),
                    ("echo_pairs_near", "datacenter"),
                    ("echo_pairs_far", "wan"),
                },
            )
            own = server.query('count by (job) ({__name__=~"echo_exporter_.*|process_.*"})')
            self.assertEqual([labels for labels, _ in own], [{"job": "echo_exporter"}])


class NativeHistogramTest(unittest.TestCase):
    """A real Prometheus that asks for native histograms."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(
            prometheus.Prometheus(features=["native-histograms"])
        )
        cls.server.wait_until(
            "a scrape of all",
            "histogram_count(icmp_echo_rtt_seconds) > 0",
            lambda result: len(result) == len(DELAYS),
        )

    def test_quantiles_are_within_the_factor(self):
        seen = self.wait_until_all_is_scraped()
        least, most = round_trips(seen)
        for quantile in (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99):
            ((_, estimate),) = self.server.query(
                f"histogram_quantile({quantile}, sum(icmp_echo_rtt_seconds))"
            )
            rank = math.ceil(quantile * len(least)) - 1
            self.assertLess(least[rank] / FACTOR, estimate, quantile)
            self.assertGreater(most[rank] * FACTOR, estimate, quantile)

    def test_counts_and_sums_are_those_of_the_text(self):
        seen = self.wait_until_all_is_scraped()
        ((_, total),) = self.server.query("histogram_sum(sum(icmp_echo_rtt_seconds))")
        self.assertAlmostEqual(total, seen.total("icmp_echo_rtt_seconds_sum"))

    def wait_until_all_is_scraped(self):
        """Waits until the server knows every reply, and returns what the text says then."""

        def all_known():
            seen = daemon.scrape()
            counts = self.server.query("histogram_count(sum(icmp_echo_rtt_seconds))")
            known = [value for _, value in counts] == [seen.total("icmp_echo_rtt_seconds_count")]
            return seen if known else None

        return processes.wait_for("the server has every reply", all_known)

    def test_the_other_histograms_are_native_as_well(self):
        for name in ("schedule_lag", "completion_delay"):
            ((_, count),) = self.server.query(f"histogram_count(echo_exporter_{name}_seconds)")
            self.assertGreaterEqual(count, len(DELAYS))
        self.assertEqual(self.server.query('{__name__=~"icmp_echo_rtt_seconds_.*"}'), [])


class ShortenedTest(unittest.TestCase):
    """Without classic buckets, and without what was omitted."""

    def test_little_is_left(self):
        omitted = ["icmp_echo_in_flight", "icmp_echo_jitter_seconds", "icmp_echo_reply_ttl"]
        config = (
            f"[metrics]\nrtt_buckets = []\nomit = {exporter.toml(omitted)}\n"
            '[defaults]\ninterval = "100ms"\n' + exporter.group("g", destinations=["10.213.2.25"])
        )
        with exporter.Exporter(config, address=exporter.OTHER_ADDRESS) as short:
            seen = short.wait_until(
                "replies", lambda seen: seen.total("icmp_echo_rtt_seconds_count") > 2
            )
            self.assertEqual(seen.series("icmp_echo_rtt_seconds_bucket"), [])
            self.assertGreater(seen.total("icmp_echo_rtt_seconds_sum"), 0)
            for name in omitted:
                self.assertEqual(seen.series(name), [])
            self.assertTrue(seen.series("icmp_echo_last_rtt_seconds"))
