"""Targets from files and from servers, good and bad ones, and from the addresses of a name."""

import contextlib
import gzip
import http.server
import json
import os
import signal
import ssl
import subprocess
import threading
import time
import unittest

import certificates
import exporter
import network
import processes

FAILURES = "echo_exporter_sd_refresh_failures_total"
TARGETS = "echo_exporter_sd_targets"
REQUESTS = "icmp_echo_requests_total"


def setUpModule():
    unittest.enterModuleContext(network.ScriptedNetwork())


def targets(*names, **labels):
    return json.dumps([{"targets": names, "labels": labels}])


def replace(path, text):
    """As careful programs write."""
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(text if isinstance(text, bytes) else text.encode())
    fresh.replace(path)


def group(kind, name="g", more="", **keys):
    """A group with one source of targets of that kind."""
    lines = [f"{key} = {exporter.toml(value)}" for key, value in keys.items()]
    head = f'[[group]]\nname = "{name}"\ninterval = "100ms"\n{more}'
    return "\n".join([head, f"[[group.{kind}]]", *lines, ""])


def state(folder):
    return f'[discovery]\nstate_dir = "{native(folder)}"\n'


def native(path):
    """A path as the exporter's system writes it."""
    path = str(path)
    return ("Z:" + path).replace("\\", "/") if exporter.PLATFORM == "wine" else path


@contextlib.contextmanager
def dropping(packets):
    """Drops these packets inside of the `with` block."""
    rules = ["add table inet t", "add chain inet t in { type filter hook input priority 0; }"]
    for rule in (*rules, f"add rule inet t in {packets} drop"):
        subprocess.run(["nft", rule], check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete table inet t"], check=True)


def destinations(seen):
    return {labels["destination"] for labels, _ in seen.series(REQUESTS)}


class Discovering(exporter.Exporter):
    def wait_for_destinations(self, *wanted):
        return self.wait_until(
            f"destinations {wanted}",
            lambda seen: destinations(seen) == set(wanted)
            and all(seen.value("icmp_echo_up", destination=name) for name in wanted),
        )

    def wait_for_failures(self, more=1):
        """Until so many more refreshes have failed; returns the scrape."""
        before = self.scrape().total(FAILURES)
        return self.wait_until(
            "failed refreshes", lambda seen: seen.total(FAILURES) >= before + more
        )


class FilesTest(unittest.TestCase):
    def setUp(self):
        self.folder = processes.work_file("targets")
        self.folder.mkdir()

    def exporter(self, *files, more="", config=""):
        paths = [native(self.folder / name) for name in files]
        return Discovering(config + group("file_sd", files=paths, more=more))

    def test_pairs_follow_the_files(self):
        replace(self.folder / "a.json", targets("10.213.1.1", "10.213.1.2", rack="7"))
        replace(self.folder / "b.yml", "- targets: [10.213.1.3]\n")
        with self.exporter("*.json", "b.yml") as daemon:
            seen = daemon.wait_for_destinations("10.213.1.1", "10.213.1.2", "10.213.1.3")
            self.assertEqual(seen.total(TARGETS, group="g", mechanism="file_sd"), 3)
            self.assertEqual(len(seen.series(REQUESTS, rack="7")), 2)
            self.assertEqual(seen.value("echo_exporter_pairs"), 3)
            before = seen.value(REQUESTS, destination="10.213.1.1")
            replace(self.folder / "a.json", targets("10.213.1.1", "10.213.1.4", rack="7"))
            seen = daemon.wait_for_destinations("10.213.1.1", "10.213.1.3", "10.213.1.4")
            # It has gone on: no request is missing, none is lost.
            self.assertGreater(seen.value(REQUESTS, destination="10.213.1.1"), before)
            self.assertEqual(seen.outcomes_of_sent(destination="10.213.1.1"), {"reply"})
            status, page = daemon.get("/config")
            self.assertEqual(status, 200)
            self.assertIn("*.json", page)
            self.assertNotIn("10.213.1.4", page)

    def test_targets_have_settings_of_their_own(self):
        slow = {"__echo_interval__": "1h", "__echo_payload_size__": "9", "__meta_x": "y"}
        text = [
            {"targets": ["10.213.1.1"]},
            {"targets": ["10.213.1.2"], "labels": slow | {"site": "fra"}},
        ]
        replace(self.folder / "a.json", json.dumps(text))
        with self.exporter("a.json") as daemon:
            seen = daemon.wait_until(
                "both", lambda seen: seen.total(REQUESTS, destination="10.213.1.1") > 5
            )
            interval = "icmp_echo_interval_seconds"
            self.assertEqual(seen.value(interval, destination="10.213.1.1"), 0.1)
            self.assertEqual(seen.value(interval, destination="10.213.1.2", site="fra"), 3600)
            for labels, _ in seen.series(interval):
                self.assertFalse(any(name.startswith("__") for name in labels))

    def test_bad_files_keep_their_last_good_targets(self):
        def write(text):
            return lambda path: replace(path, text)

        def huge(path):
            with open(path, "wb") as file:
                file.truncate(100 * 2**20)

        bad = {
            "empty": write(b""),
            "half": write(targets("10.213.1.99").encode()[:-3]),
            "utf8": write(b'[{"targets": ["\xff"]}]'),
            "object": write(b'{"targets": []}'),
            "no_target": write(b'[{"targets": []}]'),
            "ports": write(targets("10.213.1.99:9100")),
            "built_in_label": write(targets("10.213.1.99", le="1")),
            "long_name": write(targets("x" * 300)),
            "huge": huge,
            "gone": lambda path: path.unlink(),
            "folder": lambda path: (path.unlink(), path.mkdir()),
        }
        if exporter.PLATFORM != "wine":
            bad["fifo"] = lambda path: (path.unlink(), os.mkfifo(path))
            bad["loop"] = lambda path: (path.unlink(), path.symlink_to(path))
        names = {what: f"10.213.1.{n}" for n, what in enumerate(bad, 1)}
        paths = {what: self.folder / f"{what}.json" for what in bad}
        for what, path in paths.items():
            replace(path, targets(names[what]))
        replace(self.folder / "empty.yml", "- targets: [10.213.1.50]\n")
        with self.exporter(*[path.name for path in paths.values()], "empty.yml") as daemon:
            daemon.wait_for_destinations(*names.values(), "10.213.1.50")
            for what, make in bad.items():
                make(paths[what])
            replace(self.folder / "empty.yml", "")
            daemon.wait_for_log("target list unusable; its last good targets stay", 10)
            daemon.wait_for_log("suppressed=")
            seen = daemon.wait_for_destinations(*names.values(), "10.213.1.50")
            self.assertGreaterEqual(seen.total(FAILURES), len(bad) + 1)
            replace(paths["half"], targets("10.213.1.99"))
            replace(paths["empty"], "[]")
            left = {*names.values(), "10.213.1.50", "10.213.1.99"}
            daemon.wait_for_destinations(*left - {names["half"], names["empty"]})
            daemon.wait_for_log("target list usable again")

    def test_the_same_target_with_other_labels_is_told_of(self):
        replace(self.folder / "a.json", targets("10.213.1.1", x="1"))
        replace(self.folder / "b.json", targets("10.213.1.1", x="2"))
        with self.exporter("*.json") as daemon:
            seen = daemon.wait_for_destinations("10.213.1.1")
            self.assertEqual(len(seen.series(REQUESTS, x="1")), 1)
        log = daemon.log_text()
        self.assertIn("a.json:1:15 and ", log)
        self.assertIn("b.json:1:15", log)

    def test_the_most_pairs_bound_a_wrong_list(self):
        many = [f"10.213.1.{n}" for n in range(1, 20)]
        replace(self.folder / "a.json", targets("10.213.1.1"))
        with self.exporter("a.json", config="[discovery]\nmax_pairs = 10\n") as daemon:
            daemon.wait_for_destinations("10.213.1.1")
            replace(self.folder / "a.json", targets(*many))
            seen = daemon.wait_for_failures()
            self.assertEqual(destinations(seen), {"10.213.1.1"})
        self.assertIn("more than 10 pairs", daemon.log_text())

    def test_this_machine_is_no_target(self):
        replace(self.folder / "a.json", targets(network.SOURCE, "127.0.0.1", "10.213.1.1"))
        with self.exporter("a.json", more="exclude_self = true\n") as daemon:
            daemon.wait_for_destinations("10.213.1.1")

    def test_some_neighbours_of_many(self):
        names = [f"10.213.1.{n}" for n in range(1, 41)]
        replace(self.folder / "a.json", targets(*names))
        with self.exporter("a.json", more="neighbours = 10\n") as daemon:
            seen = daemon.wait_until("ten up", lambda seen: seen.total("icmp_echo_up") == 10)
            self.assertEqual(seen.value("echo_exporter_sd_neighbours_skipped", group="g"), 30)

    def test_a_restart_goes_on_with_a_file_that_is_damaged_meanwhile(self):
        config = state(self.folder / "state")
        replace(self.folder / "a.json", targets("10.213.1.1"))
        with self.exporter("a.json", config=config) as daemon:
            daemon.wait_for_destinations("10.213.1.1")
        replace(self.folder / "a.json", "[{")
        with self.exporter("a.json", config=config) as daemon:
            daemon.wait_for_destinations("10.213.1.1")
        # Nor does it matter that the file is gone, also where it is one of a pattern.
        (self.folder / "a.json").unlink()
        for files in ("a.json", "*.json"):
            with self.exporter(files, config=config) as daemon:
                daemon.wait_for_destinations("10.213.1.1")
                daemon.wait_for_failures()
        replace(self.folder / "a.json", "[{")
        for path in (self.folder / "state").iterdir():
            path.write_bytes(path.read_bytes()[:-1])
        with self.exporter("a.json", config=config) as daemon:
            daemon.wait_for_failures()
            self.assertEqual(destinations(daemon.scrape()), set())
        self.assertIn("stored target list ignored", daemon.log_text())

    def test_a_folder_that_is_full_stores_the_list_once_it_has_room(self):
        folder = self.folder / "state"
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        (folder / "pad").write_bytes(b"x" * 8192)
        replace(self.folder / "a.json", targets("10.213.1.1"))
        with self.exporter("a.json", config=state(folder)) as daemon:
            daemon.wait_for_destinations("10.213.1.1")
            daemon.wait_for_log("target list not stored")
            (folder / "pad").unlink()
            daemon.wait_for_log("target lists are stored again")
        self.assertRegex(daemon.log_text(), "target list not stored.*state_dir=")
        self.assertEqual(len(list(folder.iterdir())), 1)


class Server(http.server.ThreadingHTTPServer):
    """Serves what `answer`, a function of the request handler, sends."""

    daemon_threads = True

    def __init__(self, tls=None):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.requests.append(dict(self.headers))
                with contextlib.suppress(OSError):
                    server.answer(self)

            def log_message(self, *_):
                pass

            def send(self, status=200, body=b"", content_type="application/json", **headers):
                body = body if isinstance(body, bytes) else body.encode()
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []
        self.tls = tls
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self.answer = lambda handler: handler.send(body="[]")
        self._thread = threading.Thread(target=self.serve_forever)

    def at(self, path, host="localhost"):
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{host}:{self.server_port}/{path}"

    def handle_error(self, *_):
        pass  # clients that refuse our certificate

    def serve(self, *names, **headers):
        self.answer = lambda handler: handler.send(body=targets(*names), **headers)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self._thread.join()
        super().__exit__(*error)


def http_group(server, **keys):
    keys = {"url": server.at("targets?agent=x"), "refresh_interval": "5s"} | keys
    return group("http_sd", **keys)


class ServersTest(unittest.TestCase):
    def test_pairs_follow_the_server(self):
        with Server() as server, Discovering(http_group(server)) as daemon:
            server.serve("10.213.1.1", ETag='"1"')
            seen = daemon.wait_for_destinations("10.213.1.1")
            self.assertEqual(seen.total(TARGETS, group="g", mechanism="http_sd"), 1)
            request = server.requests[-1]
            self.assertEqual(request["Accept"], "application/json")
            self.assertEqual(request["X-Prometheus-Refresh-Interval-Seconds"], "5")
            self.assertRegex(request["User-Agent"], "^echo_exporter/")
            server.answer = lambda handler: handler.send(304)
            processes.wait_for(
                "a conditional request",
                lambda: server.requests[-1].get("If-None-Match") == '"1"',
            )
            server.serve("10.213.1.2")
            daemon.wait_for_destinations("10.213.1.2")
            self.assertEqual(daemon.scrape().total(FAILURES), 0)
            server.answer = lambda handler: handler.send(body="[]")
            daemon.wait_until("no pair", lambda seen: not destinations(seen))

    def test_bad_answers_keep_the_last_good_targets(self):
        def slowly(handler):
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            for _ in range(1000):
                handler.wfile.write(b" ")
                time.sleep(1)

        bomb = gzip.compress(b" " * 2**27, 9)
        bad = {
            "status": lambda handler: handler.send(500, targets("10.213.1.99")),
            "type": lambda handler: handler.send(
                body=targets("10.213.1.99"), content_type="text/html"
            ),
            "truncated": lambda handler: handler.send(body=targets("10.213.1.99")[:-1]),
            "nothing": lambda handler: handler.send(body=""),
            "redirect": lambda handler: handler.send(302, Location="http://127.0.0.2:1/x"),
            "bomb": lambda handler: handler.send(body=bomb, Content_Encoding="gzip"),
            "slow": slowly,
            "large": lambda handler: handler.send(body=b" " * (65 * 2**20) + b"[]"),
            "closed": lambda handler: setattr(handler, "close_connection", True),
        }
        names = {what: f"10.213.1.{n}" for n, what in enumerate(bad, 1)}
        good = True

        def answer(handler):
            what = handler.path.strip("/")
            if good:
                handler.send(body=targets(names[what]))
            else:
                bad[what](handler)

        with Server() as server:
            server.answer = answer
            config = "".join(
                group("http_sd", what, url=server.at(what), refresh_interval="5s") for what in bad
            )
            with Discovering(config) as daemon:
                daemon.wait_for_destinations(*names.values())
                good = False
                daemon.wait_until(
                    "a failure of each",
                    lambda seen: all(seen.value(FAILURES, group=what) for what in bad),
                )
                daemon.wait_for_destinations(*names.values())

    def test_a_restart_without_the_server_goes_on(self):
        folder = processes.work_file("state")
        with Server() as server:
            server.serve("10.213.1.1")
            config = state(folder) + http_group(server)
            with Discovering(config) as daemon:
                daemon.wait_for_destinations("10.213.1.1")
        with Discovering(config) as daemon:
            daemon.wait_for_destinations("10.213.1.1")
            daemon.wait_for_failures()

    def test_a_folder_that_cannot_be_written_to_is_told_of(self):
        file = processes.work_file("file")
        file.write_text("")
        with Server() as server:
            server.serve("10.213.1.1")
            with Discovering(state(file) + http_group(server)) as daemon:
                daemon.wait_for_destinations("10.213.1.1")
        self.assertIn("target list not stored", daemon.log_text())

    def test_certificates_and_passwords(self):
        authority = certificates.Authority("cmdb-ca")
        other = certificates.Authority("other-ca")
        password = processes.work_file("password")
        password.write_text("open sesame\n")
        basic = {"username": "Aladdin", "password_file": native(password)}
        with Server(tls=authority.certify("cmdb", "DNS:localhost")) as server:
            server.serve("10.213.1.1")
            good = http_group(
                server, ca_file=native(authority.certificate), basic_auth=basic
            )
            with Discovering(good) as daemon:
                daemon.wait_for_destinations("10.213.1.1")
                self.assertNotIn("sesame", daemon.get("/config")[1])
            self.assertEqual(
                server.requests[-1]["Authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
            )
            there = {
                "ca_file": native(authority.certificate),
                "url": server.at("targets", host="127.0.0.1"),
            }
            with Discovering(http_group(server, **there, server_name="localhost")) as daemon:
                daemon.wait_for_destinations("10.213.1.1")
            asked = len(server.requests)
            for keys in (
                {"ca_file": native(other.certificate)},
                {},
                there,
                there | {"server_name": "other.example"},
            ):
                with Discovering(http_group(server, **keys)) as daemon:
                    self.assertEqual(destinations(daemon.wait_for_failures()), set())
                self.assertIn("certificate", daemon.log_text())
            self.assertEqual(len(server.requests), asked)
        # The first address of localhost is ::1, where nobody listens, and where then nothing
        # answers.
        named = authority.certify("named", "DNS:cmdb.example")
        keys = {"ca_file": native(authority.certificate), "server_name": "cmdb.example"}
        with Server(tls=named) as server:
            server.serve("10.213.1.1")
            with Discovering(http_group(server, **keys)) as daemon:
                daemon.wait_for_destinations("10.213.1.1")
            with dropping(f"ip6 daddr ::1 tcp dport {server.server_port}"):
                with Discovering(http_group(server, **keys)) as daemon:
                    daemon.wait_for_destinations("10.213.1.1")
        expired = authority.certify("old", "DNS:localhost", days=-1)
        with Server(tls=expired) as server:
            keys = {"ca_file": native(authority.certificate)}
            with Discovering(http_group(server, **keys)) as daemon:
                daemon.wait_for_failures()
        self.assertIn("expired", daemon.log_text())

    def test_a_reload_keeps_the_targets_of_servers_that_stay(self):
        with Server() as server, Discovering(http_group(server)) as daemon:
            server.serve("10.213.1.1")
            before = daemon.wait_for_destinations("10.213.1.1").value(REQUESTS)
            server.answer = lambda handler: handler.send(500)
            text = daemon.config_file.read_text()
            daemon.config_file.write_text(
                text + exporter.group("h", destinations=["10.213.1.5"])
            )
            self.assertEqual(exporter.get("/-/reload", method="POST")[0], 200)
            seen = daemon.wait_for_destinations("10.213.1.1", "10.213.1.5")
            self.assertGreater(seen.value(REQUESTS, destination="10.213.1.1"), before)

    @unittest.skipIf(exporter.PLATFORM == "wine", "only a native program has a clock that can be set")
    def test_a_wall_clock_that_is_set_changes_no_schedule(self):
        file = processes.work_file("targets.json")
        replace(file, targets("10.213.1.1"))
        config = group("file_sd", files=[native(file)])
        success = "echo_exporter_sd_last_success_timestamp_seconds"
        with Server() as server:
            server.serve("10.213.1.11")
            env = {"LD_PRELOAD": str(network.WALL_CLOCK)}
            with Discovering(config + http_group(server, name="h"), env=env) as daemon:
                daemon.wait_for_destinations("10.213.1.1", "10.213.1.11")
                for times, ahead in enumerate((3600, 0, 3600), 1):  # ahead, back, ahead
                    daemon.send(signal.SIGUSR2)
                    daemon.wait_for_log("wall clock: ", times)
                    replace(file, targets(f"10.213.1.{times + 1}"))
                    server.serve(f"10.213.1.{times + 11}")
                    changed = time.monotonic()
                    seen = daemon.wait_for_destinations(
                        f"10.213.1.{times + 1}", f"10.213.1.{times + 11}"
                    )
                    self.assertLess(time.monotonic() - changed, processes.limit(30))
                    for kind in ("file_sd", "http_sd"):
                        now = seen.value(success, mechanism=kind)
                        self.assertAlmostEqual(
                            now, time.time() + ahead, delta=processes.limit(60)
                        )
                self.assertEqual(daemon.scrape().total(FAILURES), 0)


class NamesTest(unittest.TestCase):
    def test_each_address_of_a_name_is_a_pair(self):
        self.addCleanup(network.set_hosts, {})
        network.set_hosts({"pods.example": ["10.213.1.1", "10.213.1.2"]})
        config = exporter.group(
            "g",
            destinations=["pods.example"],
            addresses="all",
            interval="100ms",
            dns_refresh="1s",
        )

        def addresses(seen):
            return {
                labels.get("address")
                for labels, value in seen.series("icmp_echo_up", destination="pods.example")
                if value
            }

        with Discovering(config) as daemon:
            daemon.wait_until(
                "both", lambda seen: addresses(seen) == {"10.213.1.1", "10.213.1.2"}
            )
            network.set_hosts({"pods.example": ["10.213.1.2", "10.213.1.3"]})
            daemon.wait_until(
                "the others", lambda seen: addresses(seen) == {"10.213.1.2", "10.213.1.3"}
            )
            network.set_hosts({})
            seen = daemon.wait_until(
                "failed lookups",
                lambda seen: seen.total("echo_exporter_resolve_failures_total") >= 2,
            )
            self.assertEqual(addresses(seen), {"10.213.1.2", "10.213.1.3"})
