"""The container image: what it holds, and that it runs as it should."""

import contextlib
import hashlib
import http.server
import json
import re
import ssl
import subprocess
import tarfile
import threading
import unittest

import container_host as host
from linux_machine import PATIENCE, ROOT, run, wait_for

NONE = "0" * 16
DOCKERFILE = ROOT / "deploy/container/Dockerfile"
CONFIG = """
[web]
listen_addresses = [":10115"]
[[group]]
name = "g"
destinations = ["echo1", "bridge.example.net", "nobody.example.net"]
interval = "50ms"
"""

WITH_LIST = """
[web]
listen_addresses = [":10115"]
[[group]]
name = "g"
interval = "50ms"
[[group.http_sd]]
url = "https://lists.example.net:8443/"
"""


class ListHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps([{"targets": [host.HOST]}]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def list_server():
    """A server of target lists; gives its certificate, which nobody else has signed."""
    key, certificate = host.WORK / "lists.key", host.WORK / "lists.crt"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", key, "-out", certificate, "-subj", "/CN=lists.example.net",
        "-addext", "subjectAltName=DNS:lists.example.net")  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer((host.HOST, 8443), ListHandler) as server:
        # Not in accept(): a client that ends in the handshake would hold up all others.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=server.serve_forever).start()
        try:
            yield certificate.read_text()
        finally:
            server.shutdown()


def replies(container, destination):
    """How many came from a destination."""
    found = container.series("icmp_echo_outcomes_total").items()
    return sum(v for k, v in found if f'destination="{destination}"' in k and 'outcome="reply"' in k)


def wait_for_replies(container, destination):
    wait_for(f"replies of {destination}", lambda: replies(container, destination) >= 3)


def final_stage(dockerfile):
    """The image's configuration that a Dockerfile makes, as far as it has any."""
    text = dockerfile.read_text()
    made = {"Labels": {}, "Env": [], "ExposedPorts": {}}
    for word, value in re.findall(r"^([A-Z]+) (.*)$", text[text.rindex("\nFROM ") :], re.MULTILINE):
        if word == "LABEL":
            name, quoted = value.split("=", 1)
            made["Labels"][name] = json.loads(quoted)
        elif word == "ENV":
            name, quoted = value.split("=", 1)
            made["Env"].append(f"{name}={json.loads(quoted)}")
        elif word == "EXPOSE":
            made["ExposedPorts"][value] = {}
        elif word in ("ENTRYPOINT", "CMD"):
            made[word.capitalize()] = json.loads(value)
        elif word in ("USER", "WORKDIR"):
            made[{"USER": "User", "WORKDIR": "WorkingDir"}[word]] = value
    return made


class ImageTest(unittest.TestCase):
    def blob(self, digest):
        return (host.WORK / "layout/blobs" / digest.replace(":", "/")).read_bytes()

    def manifest(self):
        index = json.loads((host.WORK / "layout/index.json").read_text())
        return json.loads(self.blob(index["manifests"][0]["digest"]))

    def test_the_same_commit_makes_the_same_image(self):
        self.assertEqual(host.build().read_bytes(), host.image().read_bytes())

    def test_blobs_are_what_their_digests_say(self):
        files = [path for path in (host.WORK / "layout/blobs/sha256").iterdir()]
        self.assertEqual(len(files), 4)  # manifest, configuration and two layers
        for path in files:
            self.assertEqual(hashlib.sha256(path.read_bytes()).hexdigest(), path.name)

    def test_docker_finds_the_same_image(self):
        saved = json.loads((host.WORK / "layout/manifest.json").read_text())
        manifest = self.manifest()
        self.assertEqual([one["RepoTags"] for one in saved], [["echo_exporter:" + self.version()]])
        self.assertEqual(saved[0]["Config"], "blobs/" + manifest["config"]["digest"].replace(":", "/"))
        layers = ["blobs/" + one["digest"].replace(":", "/") for one in manifest["layers"]]
        self.assertEqual(saved[0]["Layers"], layers)

    def version(self):
        return re.search(r"^ *VERSION ([\d.]+)$", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]

    def config(self):
        return json.loads(self.blob(self.manifest()["config"]["digest"]))

    def test_configuration(self):
        config = self.config()
        self.assertEqual(config["config"]["User"], "65534:65534")
        self.assertEqual(config["config"]["ExposedPorts"], {"10115/tcp": {}})
        self.assertEqual(config["config"]["Entrypoint"], ["/bin/echo_exporter"])
        self.assertEqual(config["config"]["Labels"]["org.opencontainers.image.version"], self.version())
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
        self.assertEqual(config["config"]["Labels"]["org.opencontainers.image.revision"], commit)

    def test_the_dockerfile_makes_the_same(self):
        shipped = json.loads((ROOT / "deploy/container/image.json").read_text())
        self.assertEqual(final_stage(DOCKERFILE), shipped)

    def test_files_are_root_s_and_nobody_can_change_them(self):
        for one in self.manifest()["layers"]:
            path = host.WORK / "layout/blobs" / one["digest"].replace(":", "/")
            with tarfile.open(path) as tar:
                for member in tar:
                    with self.subTest(member.name):
                        state = member.name == "var/lib/echo_exporter"
                        self.assertEqual((member.uid, member.gid), (65534,) * 2 if state else (0, 0))
                        self.assertEqual(member.mtime, 0)
                        if not member.issym():
                            self.assertEqual(member.mode & 0o7022, 0)

    def test_authorities_are_where_openssl_looks(self):
        folder = subprocess.run(
            ["openssl", "version", "-d"], capture_output=True, text=True, check=True
        ).stdout.split('"')[1]
        target = (host.ROOT_FOLDER / folder.lstrip("/") / "cert.pem").readlink()
        text = (host.ROOT_FOLDER / str(target).lstrip("/")).read_text()
        self.assertGreater(text.count("BEGIN CERTIFICATE"), 50)

    def test_every_library_has_its_licence(self):
        folder = host.ROOT_FOLDER / "usr/share/doc"
        packages = {path.parent.name for path in folder.glob("*/copyright")}
        for name in ("echo-exporter", "ca-certificates", "libc6", "libstdc++6", "libidn2-0", "zlib1g"):
            self.assertIn(name, packages)
        for path in folder.glob("*/copyright"):
            for name in re.findall(r"/usr/share/common-licenses/([\w.-]*\w)", path.read_text()):
                self.assertTrue((host.ROOT_FOLDER / "usr/share/common-licenses" / name).is_file(), name)

    def test_has_no_shell_and_is_small(self):
        files = [path for path in host.ROOT_FOLDER.rglob("*") if path.is_file() and not path.is_symlink()]
        programs = [path for path in files if path.stat().st_mode & 0o111 and ".so" not in path.name]
        self.assertEqual(programs, [host.ROOT_FOLDER / "bin/echo_exporter"])
        unpacked, packed = sum(path.stat().st_size for path in files), host.image().stat().st_size
        print(f"{unpacked / 1e6:.1f} MB, {packed / 1e6:.1f} MB compressed ... ", end="")
        self.assertLess(unpacked, 25e6)


class RunTest(unittest.TestCase):
    def test_serves_and_gets_replies_without_any_right(self):
        with host.Container(1) as container:
            container.wait_for_status("/-/ready")
            self.assertEqual(container.get("/-/healthy")[0], 200)
            wait_for_replies(container, "127.0.0.1")
            self.assertIn('mechanism="datagram_socket"', container.get()[1])
            status = container.status_lines()
            for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"):
                self.assertEqual(status[name], NONE, name)
            self.assertEqual(status["Uid"], "\t".join(["65534"] * 4))
            self.assertEqual(status["Gid"], "\t".join(["65534"] * 4))
            self.assertEqual(status["NoNewPrivs"], "1")
            with self.assertRaisesRegex(OSError, "Read-only file system"):
                (container.root() / "var/lib/echo_exporter/file").write_text("text")
            self.assertEqual(container.stop(), 0, container.log())

    def test_finds_names_in_files_and_by_dns(self):
        files = {"/etc/echo_exporter": {"echo_exporter.toml": CONFIG}}
        with (
            host.name_server({"bridge.example.net": host.HOST}),
            host.Container(1, files=files) as container,
        ):
            container.wait_for_status("/-/ready")
            wait_for_replies(container, "echo1")
            wait_for_replies(container, "bridge.example.net")
            self.assertEqual(replies(container, "nobody.example.net"), 0)
            self.assertEqual(container.stop(), 0, container.log())

    def test_knows_servers_by_the_authorities_in_the_image(self):
        config = {"/etc/echo_exporter": {"echo_exporter.toml": WITH_LIST}}
        names = host.name_server({"lists.example.net": host.HOST})
        with list_server() as certificate, names:
            with host.Container(1, files=config) as container:
                wait_for("a rejected certificate", lambda: "certificate" in container.log())
                self.assertEqual(replies(container, host.HOST), 0)
            own = config | {"/etc/ssl/certs": {"ca-certificates.crt": certificate}}
            with host.Container(2, files=own) as container:
                wait_for_replies(container, host.HOST)

    def test_says_what_is_missing_without_the_setting(self):
        with host.Container(1, groups="1 0") as container:
            self.assertEqual(container.process.wait(PATIENCE), 1)
            self.assertIn("net.ipv4.ping_group_range", container.log())
