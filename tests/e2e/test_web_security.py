"""--web.config.file: TLS, client certificates, passwords, and what replaces them while it runs."""

import contextlib
import json
import re
import socket
import subprocess
import time
import unittest

import certificates
import exporter
import network
import processes
import prometheus

PASSWORD = "correct horse battery staple"
CONFIG = exporter.group("g", destinations=["10.213.1.1"]) + (
    "[sources]\n"
    'main = "10.213.0.1"\n'
    "[probe]\n"
    'allowed_sources = ["main"]\n'
    "requests_per_second = 0.001\n"
    "burst = 4\n"
)


def setUpModule():
    global authority, stranger, password_hash
    unittest.enterModuleContext(network.ScriptedNetwork())
    authority = certificates.Authority("authority")
    stranger = certificates.Authority("stranger")
    password_hash = certificates.bcrypt(PASSWORD)


def curl(path, *options, scheme="https"):
    """Returns (curl's exit code, HTTP status, headers and body)."""
    command = ["curl", "--silent", "--include", "--max-time", str(processes.PATIENCE), "--http1.1"]
    command += ["--write-out", "\n%{http_code}", *map(str, options)]
    command.append(f"{scheme}://{exporter.ADDRESS}{path}")
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    text, _, status = ended.stdout.rpartition("\n")
    return ended.returncode, int(status), text


class SecureExporter(exporter.Exporter):
    """Serves as `web_config` says, and is asked by curl with `options`."""

    def __init__(self, web_config, options):
        self.folder = processes.work_file("web")
        self.folder.mkdir()
        self.options = options
        self.web_config = self.folder / "web.yml"
        self.web_config.write_text(web_config)
        super().__init__(CONFIG, f"--web.config.file={self.web_config}", "--log.level=debug")

    def get(self, path, headers=None):
        code, status, text = curl(path, *self.options)
        if code != 0:
            raise OSError(f"curl: {code}")
        return status, text.partition("\n\n")[2]


class MutualTlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.good = cls.client("prometheus", "DNS:prometheus.example")
        cls.anonymous = ["--cacert", authority.certificate]
        cls.password = ["--user", f"prometheus:{PASSWORD}"]
        web_config = (
            "tls_server_config:\n"
            "  cert_file: server.crt\n"
            "  key_file: server.key\n"
            f"  client_ca_file: {json.dumps(str(authority.certificate))}\n"
            "  client_auth_type: RequireAndVerifyClientCert\n"
            "  client_allowed_sans: [prometheus.example]\n"
            "http_server_config:\n"
            "  headers:\n"
            "    Strict-Transport-Security: max-age=31536000\n"
            "basic_auth_users:\n"
            f"  prometheus: {password_hash}\n"
        )
        cls.daemon = SecureExporter(web_config, [*cls.anonymous, *cls.good, *cls.password])
        cls.install("first")
        cls.enterClassContext(cls.daemon)

    @staticmethod
    def client(name, alternative_names, issuer=None, days=2):
        """Options of curl that present a certificate."""
        certificate, key = (issuer or authority).certify(name, alternative_names, days)
        return ["--cert", certificate, "--key", key]

    @classmethod
    def install(cls, name, days=2):
        certificate, key = authority.certify(name, "IP:127.0.0.1", days)
        certificates.replace(cls.daemon.folder / "server.crt", certificate)
        certificates.replace(cls.daemon.folder / "server.key", key)

    def s_client(self, *options):
        """What openssl's client says of a connection."""
        command = ["openssl", "s_client", "-connect", exporter.ADDRESS, *map(str, options)]
        ended = subprocess.run(
            command, input=b"", capture_output=True, timeout=processes.PATIENCE, check=False
        )
        return ended.stdout.decode(errors="replace")

    def served_name(self):
        return re.search(r"subject=CN = (\S+)", self.s_client()).group(1)

    def test_prometheus_scrapes_with_certificate_and_password(self):
        certificate, key = self.good[1], self.good[3]
        job = (
            "    scheme: https\n"
            "    tls_config:\n"
            f"      ca_file: {authority.certificate}\n"
            f"      cert_file: {certificate}\n"
            f"      key_file: {key}\n"
            "    basic_auth:\n"
            "      username: prometheus\n"
            f"      password: {PASSWORD}\n"
        )
        with prometheus.Prometheus(prometheus.CONFIG.rstrip() + "\n" + job) as scraper:
            scraper.wait_for_scrapes(3)
            scraper.wait_until("a pair", 'icmp_echo_requests_total{group="g"}')

    def test_curl_shows_who_is_let_in(self):
        cases = (
            ("all is right", self.good, self.password, 0, 200),
            ("wrong password", self.good, ["--user", "prometheus:wrong"], 0, 401),
            ("wrong user", self.good, ["--user", f"root:{PASSWORD}"], 0, 401),
            ("no password", self.good, [], 0, 401),
            ("the hash for a password", self.good, ["--user", f"prometheus:{password_hash}"], 0, 401),
            ("no certificate", [], self.password, 56, 0),
            (
                "wrong CA",
                self.client("wrong-ca", "DNS:prometheus.example", stranger),
                *(self.password, 56, 0),
            ),
            (
                "expired",
                self.client("expired", "DNS:prometheus.example", days=-1),
                *(self.password, 56, 0),
            ),
            ("wrong SAN", self.client("wrong-san", "DNS:other.example"), self.password, 56, 0),
        )
        for name, certificate, user, code, status in cases:
            for path in ("/metrics", "/", "/-/healthy", "/nowhere"):
                with self.subTest(name, path=path):
                    seen = curl(path, *self.anonymous, *certificate, *user)
                    if status == 200 and path == "/nowhere":
                        self.assertEqual(seen[1], 404)
                    else:
                        self.assertEqual(seen[:2], (code, status), seen[2])
                    if status == 401:
                        self.assertIn("WWW-Authenticate: Basic", seen[2])

    def test_old_versions_are_refused(self):
        weak = ("-cipher", "ALL:@SECLEVEL=0")
        for options, version in (
            (("-tls1", *weak), None),
            (("-tls1_1", *weak), None),
            (("-tls1_2",), "TLSv1.2"),
            (("-tls1_3",), "TLSv1.3"),
        ):
            with self.subTest(options=options):
                text = self.s_client(*options)
                if version:
                    self.assertIn(f"New, {version}, Cipher is ", text)
                else:
                    self.assertIn("Cipher is (NONE)", text)

    def test_http_2_is_not_spoken_but_asked_for_in_vain(self):
        self.assertIn("ALPN protocol: http/1.1", self.s_client("-alpn", "h2,http/1.1"))

    def test_plain_http_ends_well(self):
        code, status, text = curl("/metrics", scheme="http")
        self.assertEqual((code, status), (0, 400))
        self.assertIn("HTTPS", text)

    def test_new_certificates_are_served_without_a_restart(self):
        self.install("second")
        processes.wait_for("the second", lambda: self.served_name() == "second")
        # A wrong one is not; it is said once.
        complaint = "invalid web configuration"
        before = self.daemon.log_so_far().count(complaint)
        (self.daemon.folder / "server.crt").write_text("half a certificate")
        name = "echo_exporter_web_config_last_reload_successful"
        self.daemon.wait_until("it is rejected", lambda seen: seen.value(name) == 0)
        self.daemon.wait_for_log(complaint, before + 1)
        for _ in range(3):
            self.assertEqual(self.served_name(), "second")
        self.assertEqual(self.daemon.log_so_far().count(complaint), before + 1)
        self.install("third", days=1)
        processes.wait_for("the third", lambda: self.served_name() == "third")
        seen = self.daemon.scrape()
        self.assertEqual(seen.value(name), 1)
        expiry = seen.value("echo_exporter_tls_certificate_expiry_timestamp_seconds")
        self.assertAlmostEqual(expiry, time.time() + 24 * 3600, delta=3600)

    def test_slow_handshakes_do_not_stop_metrics(self):
        host, port = exporter.ADDRESS.split(":")
        with contextlib.ExitStack() as clients:
            # More than the server's 512.
            for number in range(600):
                client = socket.create_connection((host, int(port)), timeout=processes.PATIENCE)
                clients.enter_context(client)
                client.sendall(b"" if number % 2 else b"\x16\x03\x01\x02\x00\x01\x00")
            for _ in range(5):
                self.assertEqual(self.daemon.get("/metrics")[0], 200)

    def test_secrets_appear_nowhere(self):
        texts = [self.daemon.get(path)[1] for path in ("/config", "/", "/metrics")]
        for text in (*texts, self.daemon.log_so_far()):
            for secret in (password_hash, password_hash[7:], PASSWORD, "PRIVATE KEY"):
                self.assertNotIn(secret, text)

    def test_headers_are_sent(self):
        _, _, text = curl("/", *self.anonymous, *self.good, *self.password)
        for header in (
            "Strict-Transport-Security: max-age=31536000",
            "X-Frame-Options: deny",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer",
            "Content-Security-Policy: default-src 'none'",
        ):
            self.assertIn(header, text)

    def test_probe_limits_sources_and_clients(self):
        url = "/probe?target=10.213.1.1&source="
        self.assertEqual(self.daemon.get(url + "main")[0], 200)
        self.assertEqual(self.daemon.get(url + "auto")[0], 403)
        self.assertEqual(self.daemon.get(url + "10.213.0.2")[0], 403)
        self.assertEqual(self.daemon.get("/probe?target=10.213.1.1")[0], 200)
        options = (*self.anonymous, *self.good, *self.password)
        _, status, text = curl(url + "main", *options)
        self.assertEqual(status, 429)
        self.assertRegex(text, r"Retry-After: \d+")

    def test_urls_are_https(self):
        self.daemon.wait_for_log(f"url=https://{exporter.ADDRESS}")


class WebConfigErrorsTest(unittest.TestCase):
    def test_all_errors_come_with_their_place(self):
        config = processes.work_file("config.toml")
        config.write_text("")
        path = processes.work_file("web.yml")
        path.write_text(
            "tls_server_config:\n"
            "  cert_file: no-such.crt\n"
            "  min_version: SSL3\n"
            "basic_auth_users:\n"
            "  prometheus: secret\n"
            "rate-limit: {}\n"
        )
        options = (f"--config.file={config}", f"--web.config.file={path}")
        for arguments in (options, (*options, "--config.check")):
            code, out, err = exporter.run(*arguments)
            self.assertEqual((code, out), (2, ""))
            places = re.findall(rf"^error: {re.escape(str(path))}:(\d+):\d+: .+", err, re.MULTILINE)
            self.assertEqual(places, ["2", "2", "3", "5", "6"], err)
            self.assertNotIn("secret", err)

    def test_a_missing_file_gives_two(self):
        config = processes.work_file("config.toml")
        config.write_text("")
        code, _, err = exporter.run(f"--config.file={config}", "--web.config.file=none.yml")
        self.assertEqual(code, 2)
        self.assertIn("none.yml", err)
