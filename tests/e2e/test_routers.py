"""Routers on the way that know flows: redirects, address translation over two uplinks, and firewalls
that drop what is new. The flow of an echo request is its addresses and its ICMP identifier."""

import unittest

import expectations
import exporter
import network
import scrape


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
            self.assertEqual(set(seen.outcomes()), {"reply"})
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
            self.assertEqual(set(seen.outcomes()), {"reply"})
            self.assertEqual(scrape.accounting_errors(seen), [])
