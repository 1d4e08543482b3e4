"""The status page and the JSON behind it, against what the network does."""

import gzip
import json
import time
import unittest
import urllib.parse
import urllib.request

import expectations
import exporter
import network
import processes
import scrape

GONE = "10.213.2.50"
CONFIG = (
    '[defaults]\ninterval = "200ms"\n'
    + exporter.group(
        "g",
        sources=[network.SOURCE, network.OTHER_SOURCE],
        destinations=["10.213.2.25", GONE, "10.213.8.2", "10.213.10.1", "no.such.name"],
    )
    + exporter.group("<h>", destinations=["10.213.3.12"], labels={"site": "\"'&<script>\u202e"})
)


def ask(path, **parameters):
    status, text = exporter.get(f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
    return status, json.loads(text)


def good(path, **parameters):
    status, answer = ask(path, **parameters)
    if status != 200:
        raise AssertionError(f"{path}: {status}: {answer}")
    return answer


def wait_for(what, path, condition, **parameters):
    def look():
        answer = good(path, **parameters)
        return answer if condition(answer) else None

    return processes.wait_for(what, look)


class StatusTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(network.ScriptedNetwork())
        cls.daemon = cls.enterClassContext(exporter.Exporter(CONFIG))

    def pair(self, destination, source=network.SOURCE, group="g"):
        return good("pair", group=group, source=source, destination=destination)

    def test_an_outage_appears_with_its_cause(self):
        wait_for("a reply", "pairs", lambda a: a["pairs"][0]["last_outcome"] == "reply",
                 destination=GONE, source=network.SOURCE)
        with network.route("unreachable", GONE):
            begin = time.time()
            status = wait_for(
                "the verdict",
                "status",
                lambda a: any(verdict["name"] == GONE for verdict in a["verdicts"]),
            )
            self.assertLess(time.time() - begin, processes.limit(10))
            verdict = next(one for one in status["verdicts"] if one["name"] == GONE)
            self.assertEqual((verdict["kind"], verdict["pairs"]), ("destination", 2))
            self.assertEqual(verdict["text"], f"Every pair to {GONE} fails")
            pair = self.pair(GONE)
            self.assertEqual(pair["state"], "down")
            self.assertGreaterEqual(pair["consecutive_failures"], 3)
            self.assertIsNone(pair["outages"][0]["end"])
            self.assertEqual(pair["outages"][0]["start"], pair["state_since"])
            self.assertEqual(pair["failures"][0]["outcome"], pair["last_outcome"])
            # Of those that are down, in the table without the script, too.
            page = exporter.get("/")[1]
            self.assertIn(f"<b>Every pair to {GONE} fails</b>", page)
        pair = wait_for("its end", "pair", lambda a: a["state"] != "down",
                        group="g", source=network.SOURCE, destination=GONE)
        self.assertEqual(pair["state"], "lossy")
        self.assertEqual(pair["outages"][0]["end"], pair["state_since"])

    def test_states_and_round_trip_times_are_those_of_the_network(self):
        answer = wait_for(
            "round-trip times",
            "pairs",
            lambda a: all(p["rtt_median_seconds"] for p in a["pairs"]) and a["total"] == 2,
            destination="10.213.2.25",
        )
        for pair in answer["pairs"]:
            expectations.assert_rtt_of(self, 0.025, pair["rtt_median_seconds"])
            self.assertEqual(pair["destination_address"], "10.213.2.25")
            self.assertRegex(pair["spark"]["rtt"], r"^ *[A-Za-z0-9_-]{1,60}$")
        slow = good("pair", group="<h>", source="auto", destination="10.213.3.12")
        expectations.assert_rtt_of(self, 0.12, slow["history"]["coarse"]["median"][-1])
        self.assertEqual(slow["labels"], {"site": "\"'&<script>\u202e"})
        self.assertEqual((slow["ttl"], slow["interval_seconds"]), (64, 0.2))
        down = wait_for("an outage", "pair", lambda a: a["state"] == "down",
                        group="g", source=network.SOURCE, destination="10.213.10.1")
        self.assertEqual(down["failures"][0]["outcome"], "host_unreachable")
        self.assertEqual(down["failures"][0]["responder"], network.ROUTER)
        lossy = wait_for("loss", "pair", lambda a: a["state"] == "lossy",
                         group="g", source=network.SOURCE, destination="10.213.8.2")
        self.assertGreater(lossy["loss_10m"], 0)
        unresolved = wait_for("no address", "pairs", lambda a: a["total"] == 2,
                              state="unresolved")
        self.assertEqual(
            {(p["destination"], p["destination_address"]) for p in unresolved["pairs"]},
            {("no.such.name", None)},
        )

    def test_the_history_has_what_the_counters_have(self):
        wait_for("some results", "pair", lambda a: sum(a["history"]["fine"]["sent"]) > 20,
                 group="g", source=network.SOURCE, destination="10.213.8.2")

        def counted():
            seen = self.daemon.scrape()
            self.assertEqual(scrape.accounting_errors(seen), [])
            labels = {"source": network.SOURCE, "destination": "10.213.8.2"}
            return seen.value("icmp_echo_outcomes_total", outcome="reply", **labels)

        before = counted()
        history = self.pair("10.213.8.2")["history"]
        after = counted()
        for series in history.values():
            replies = sum(series["sent"]) - sum(series["lost"])
            self.assertTrue(before - 10 <= replies <= after, (before, replies, after))

    def test_a_reload_keeps_the_history_of_pairs_that_stay(self):
        def sent(pair):
            return sum(pair["history"]["coarse"]["sent"])

        names = {"group": "g", "source": network.SOURCE, "destination": "10.213.10.1"}
        before = wait_for("an outage", "pair", lambda a: a["outages"] and sent(a) > 10, **names)
        config = self.daemon.config_file.read_text()
        try:
            self.reload(config + exporter.group("new", destinations=["10.213.2.26"]))
            after = good("pair", **names)
            self.assertEqual(after["outages"][0]["start"], before["outages"][0]["start"])
            self.assertEqual(after["state_since"], before["state_since"])
            self.assertGreaterEqual(sent(after), sent(before))
            new = {"group": "new", "source": "auto", "destination": "10.213.2.26"}
            processes.wait_for("the new pair", lambda: ask("pair", **new)[0] == 200)
        finally:
            self.reload(config)
        processes.wait_for("its end", lambda: ask("pair", **new)[0] == 404)

    def reload(self, config):
        self.daemon.config_file.write_text(config)
        status, text = exporter.get("/-/reload", method="POST")
        self.assertEqual(status, 200, text)

    def test_equal_requests_get_equal_answers_that_are_not_sent_twice(self):
        url = f"http://{exporter.ADDRESS}/api/v1/matrix"
        headers = {"Accept-Encoding": "gzip"}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            self.assertEqual(answer.headers["Content-Encoding"], "gzip")
            rows = json.loads(gzip.decompress(answer.read()))["rows"]
            tag = answer.headers["ETag"]
        self.assertEqual(len(rows), 6)

        def again():
            status, _ = exporter.get("/api/v1/matrix", {"If-None-Match": tag})
            return status

        self.assertIn(again(), (200, 304))  # two seconds may have passed

    def test_errors_are_json(self):
        self.assertEqual(ask("pair", group="g", source="x", destination="y")[0], 404)
        status, answer = ask("pairs", sort="x")
        self.assertEqual((status, answer), (400, {"error": 'Parameter sort cannot be "x".'}))

    def test_a_probe_now(self):
        path = "/api/v1/probe?" + urllib.parse.urlencode(
            {"group": "g", "source": network.SOURCE, "destination": "10.213.2.25"}
        )
        self.assertEqual(exporter.get(path)[0], 405)
        self.assertEqual(exporter.get(path, method="POST")[0], 403)
        page = {"X-Echo-Exporter": "page"}
        status, text = exporter.get(path, {**page, "Sec-Fetch-Site": "cross-site"}, method="POST")
        self.assertEqual(status, 403, text)
        status, text = exporter.get(path, page, method="POST")
        self.assertEqual(status, 200, text)
        answer = json.loads(text)
        self.assertEqual((answer["outcome"], answer["responder"]), ("reply", "10.213.2.25"))
        expectations.assert_rtt_of(self, 0.025, answer["rtt_seconds"], most=1.8)
