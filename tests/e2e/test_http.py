"""The HTTP server of the real executable: its pages, and clients that behave badly."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import socket
import tomllib
import unittest

import exporter
import network
import processes

# So that no reply comes too late, however slow the machine is.
CONFIG = exporter.group(
    "g",
    destinations=["10.213.1.1", "10.213.4.0/30"],
    labels={"site": "here"},
    timeout="60s",
)


def setUpModule():
    global daemon
    unittest.enterModuleContext(network.ScriptedNetwork())
    daemon = unittest.enterModuleContext(exporter.Exporter(CONFIG))


def connect(first_bytes=b"", address=exporter.ADDRESS, buffer=None):
    host, port = address.split(":")
    client = socket.socket()
    client.settimeout(processes.PATIENCE)
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect((host, int(port)))
    client.sendall(first_bytes)
    return client


class PagesTest(unittest.TestCase):
    def test_landing_page_leads_to_all_pages(self):
        status, text = exporter.get("/")
        self.assertEqual(status, 200)
        links = re.findall(r'href="([^"#:]+)"', text)
        self.assertGreaterEqual(len(links), 5)
        for link in links:
            self.assertEqual(exporter.get("/" + link.replace("&amp;", "&"))[0], 200, link)
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


    def test_metrics_has_no_parameters(self):
        self.assertEqual(exporter.get("/metrics?name=a")[0], 400)


class PrefixTest(unittest.TestCase):
    def test_all_pages_are_below_the_prefix(self):
        address = exporter.OTHER_ADDRESS
        options = ("--web.route-prefix=/a/echo", "--web.external-url=https://example.net/b/")
        with PrefixedExporter(CONFIG, *options, address=address) as daemon:
            text = daemon.get("/a/echo/")[1]
            for link in re.findall(r'href="([^"#:]+)"', text):
                self.assertEqual(daemon.get("/a/echo/" + link.replace("&amp;", "&"))[0], 200, link)
            for path in ("/metrics", "/-/ready", "/echo/metrics"):
                self.assertEqual(daemon.get(path)[0], 404, path)
            for path, location in (("/", "https://example.net/b/"), ("/a/echo", "echo/")):
                with connect(f"GET {path} HTTP/1.0\r\n\r\n".encode(), address) as client:
                    head = client.makefile("rb").read().decode()
                self.assertTrue(head.startswith("HTTP/1.1 302 "), head)
                self.assertIn(f"Location: {location}\r\n", head)
            seen = daemon.get("/a/echo/metrics")[1]
            self.assertIn('echo_exporter_http_requests_total{code="200",handler="/-/ready"}', seen)


class PrefixedExporter(exporter.Exporter):
    def is_ready(self):
        try:
            return self.get("/a/echo/-/ready")[0] == 200
        except OSError:
            return False


class HeldMemoryTest(unittest.TestCase):
    CLIENTS = 300

    def test_configurations_that_nobody_reads_are_one(self):
        config = "".join(
            exporter.group(name, destinations=[f"10.{name}.0.0/16"], interval="1h")
            for name in ("64", "65", "66")
        )
        with exporter.Exporter(config, address=exporter.OTHER_ADDRESS) as daemon:

            def memory():
                # A scrape of so many pairs takes a minute.
                pages = pathlib.Path(f"/proc/{daemon.process.pid}/statm").read_text().split()[1]
                return int(pages) * os.sysconf("SC_PAGE_SIZE")

            size = len(daemon.get("/config")[1])
            before = memory()
            with contextlib.ExitStack() as clients:
                request = b"GET /config HTTP/1.1\r\nHost: a\r\n\r\n"
                waiting = [
                    clients.enter_context(connect(request, daemon.address, buffer=4096))
                    for _ in range(self.CLIENTS)
                ]
                for client in waiting:
                    with contextlib.suppress(ConnectionError):  # some may be cut
                        client.recv(100)
                grown = memory() - before
            print(f"{grown / 1e6:.0f} MB for {self.CLIENTS * size / 1e6:.0f} MB ", end="")
            self.assertLess(grown, self.CLIENTS * size / 3)


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
            b"GET /metrics HTTP/1.1\r\n\r\n",
            b"GET /metrics HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            b"GET /metrics HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
            b"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: %30\r\n\r\n",
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
        self.assertEqual(daemon.scrape().outcomes_of_sent(destination="10.213.1.1"), {"reply"})
