"""The HTTP server of the real executable: its pages, and clients that behave badly."""

import concurrent.futures
import contextlib
import re
import socket
import tomllib
import unittest

import exporter
import network
import processes

CONFIG = exporter.group(
    "g", destinations=["10.213.1.1", "10.213.4.0/30"], labels={"site": "here"}
)


def setUpModule():
    global daemon
    unittest.enterModuleContext(network.ScriptedNetwork())
    daemon = unittest.enterModuleContext(exporter.Exporter(CONFIG))


def connect(first_bytes=b""):
    host, port = exporter.ADDRESS.split(":")
    client = socket.create_connection((host, int(port)), timeout=processes.PATIENCE)
    client.sendall(first_bytes)
    return client


class PagesTest(unittest.TestCase):
    def test_landing_page_leads_to_all_pages(self):
        status, text = exporter.get("/")
        self.assertEqual(status, 200)
        links = re.findall(r'href="([^"]+)"', text)
        self.assertGreaterEqual(len(links), 5)
        for link in links:
            self.assertEqual(exporter.get(link.replace("&amp;", "&"))[0], 200, link)
        self.assertRegex(text, r"[Pp]airs?\b\D*\b3\b|\b3 pairs")

    def test_healthy_and_ready(self):
        self.assertEqual(exporter.get("/-/healthy")[0], 200)
        self.assertEqual(exporter.get("/-/ready")[0], 200)

    def test_connections_of_many_threads_end_well(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            seen = pool.map(lambda _: exporter.get("/-/healthy")[0], range(2000))
            self.assertEqual(set(seen), {200})

    def test_config_is_effective_and_loads_again(self):
        status, text = exporter.get("/config")
        self.assertEqual(status, 200)
        group = tomllib.loads(text)["group"][0]
        self.assertEqual(group["destinations"], ["10.213.1.1", "10.213.4.1", "10.213.4.2"])
        self.assertEqual(group["labels"], {"site": "here"})
        self.assertEqual(group["interval"], "1s")
        path = processes.work_file("effective.toml")
        path.write_text(text)
        code, out, err = exporter.run("--config.check", f"--config.file={path}")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("3 pairs", out)

    def test_other_paths_and_methods_are_refused(self):
        self.assertEqual(exporter.get("/nowhere")[0], 404)
        self.assertEqual(exporter.get("/metrics", method="POST")[0], 405)
        self.assertEqual(exporter.get("/probe?target=10.213.1.1", method="DELETE")[0], 405)


class BadClientsTest(unittest.TestCase):
    def test_hundreds_of_idle_and_slow_clients_do_not_stop_metrics(self):
        with contextlib.ExitStack() as clients:
            # More than the server's 512.
            for number in range(600):
                first_bytes = b"" if number % 2 else b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: "
                clients.enter_context(connect(first_bytes))
            for _ in range(5):
                self.assertEqual(exporter.get("/metrics")[0], 200)
                self.assertEqual(exporter.get("/-/healthy")[0], 200)

    def test_clients_that_do_not_read_do_not_stop_metrics(self):
        request = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
        with contextlib.ExitStack() as clients:
            for _ in range(50):
                clients.enter_context(connect(request * 20))
            self.assertEqual(exporter.get("/metrics")[0], 200)

    def test_oversized_and_broken_requests_are_refused(self):
        for request in (
            b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500) + b"\r\n\r\n",
        ):
            with self.subTest(request=request[:20]), contextlib.suppress(ConnectionError):
                with connect() as client:
                    client.sendall(request)
                    self.assertNotIn(b" 200 ", client.recv(1000))
        self.assertEqual(exporter.get("/metrics")[0], 200)

    def test_probing_went_on_all_the_while(self):
        before = daemon.scrape().total("icmp_echo_requests_total")
        daemon.wait_until(
            "more requests", lambda seen: seen.total("icmp_echo_requests_total") > before + 3
        )
        self.assertEqual(set(daemon.scrape().outcomes(destination="10.213.1.1")), {"reply"})
