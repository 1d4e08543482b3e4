"""Pictures of the status page, for README.md: see make_pictures."""

import os
import random
import subprocess
import time
import unittest

import exporter
import network
import processes
import webdriver

FOLDER = processes.ROOT / "docs/images"
SIZE = (1100, 720)
LARGEST = 100_000  # bytes of a picture
SECONDS = 60 * int(os.environ["ECHO_EXPORTER_MINUTES"])
OUTAGE = min(376, SECONDS / 4)  # before the pictures

# Names by their usual round-trip time in milliseconds, which is a part of the address.
CORE = {"core-ams": 9, "core-fra": 3, "core-par": 14, "dns-a": 1, "dns-b": 2}
BRANCHES = {"branch-lis": 41, "branch-opo": 39, "branch-fao": 47, "branch-bcn": 28, "branch-mad": 24}
OFFICE = {"mail": 6, "voip-gw": 5, "backup-dc": 18}
USUAL = CORE | BRANCHES | OFFICE
LOSSY = {"branch-lis": 0.04, "branch-opo": 0.015}  # of the time in the last half
SILENT = "10.213.4.40"
SOURCES = {"wan1": network.SOURCE, "wan2": network.OTHER_SOURCE, "lte": "10.213.0.3", "vpn": "10.213.0.4"}
CONFIG = (
    "[sources]\n"
    + "".join(f"{name} = {exporter.toml(address)}\n" for name, address in SOURCES.items())
    + '[defaults]\ninterval = "250ms"\ntimeout = "500ms"\nip_version = "4"\ndns_refresh = "1s"\n'
    + exporter.group("core", sources=list(SOURCES), destinations=list(CORE))
    + exporter.group("branches-pt", sources=["wan1", "wan2", "lte"], destinations=list(BRANCHES))
    + exporter.group("office", sources=["wan1", "vpn"], destinations=[*OFFICE, "old-printer", "new-host.example"])
)
PLACES = {
    "pairs": "",
    "matrix": "?view=matrix",
    "pair": "?view=pair&group=core&source=wan2&destination=core-ams",
}


class Network:
    """Names whose addresses answer sooner or later, and sometimes not."""

    def __init__(self):
        self._delays = {name: float(usual) for name, usual in USUAL.items()}

    def change(self, share):
        """What is different a second later; `share` of the time is over."""
        names = {"old-printer": SILENT}
        for name, usual in USUAL.items():
            self._delays[name] += random.uniform(-0.12, 0.12) * usual + 0.1 * (usual - self._delays[name])
            delay = max(1, round(self._delays[name] * random.choice([1, 1, 1, 1.05, 1.6])))
            if share > 0.9:
                delay *= {"voip-gw": 5, "branch-mad": 2}.get(name, 1)
            names[name] = f"10.213.2.{min(delay, 254)}"
            if random.random() < (LOSSY.get(name, 0) if share > 0.5 else 0):
                names[name] = SILENT
        network.set_hosts(names)


class Pictures(unittest.TestCase):
    def test_make(self):
        random.seed(7)
        changing = Network()
        changing.change(0)
        with network.ScriptedNetwork(), exporter.Exporter(CONFIG):
            for address in ("10.213.0.3", "10.213.0.4"):
                network.ip("addr", "add", f"{address}/32", "dev", network.DEVICE)
            began = time.monotonic()
            out = False
            while (passed := time.monotonic() - began) < SECONDS:
                changing.change(passed / SECONDS)
                if not out and passed > SECONDS - OUTAGE:
                    out = True
                    for rule in (
                        "add table ip t",
                        "add chain ip t in { type filter hook input priority 0; }",
                        f"add rule ip t in ip daddr {network.OTHER_SOURCE} icmp type echo-reply drop",
                    ):
                        subprocess.run(["nft", rule], check=True)
                time.sleep(1)
            with webdriver.Browser() as browser:
                self.take(browser)

    def take(self, browser):
        FOLDER.mkdir(exist_ok=True)
        for scheme in ("light", "dark"):
            browser.emulate(*SIZE, scheme)
            for name, query in PLACES.items():
                browser.open(f"http://{exporter.ADDRESS}/{query}")
                browser.wait_until(name, "return document.querySelector('#view').dataset.view === arguments[0];", name)
                quantize = ["pngquant", "--speed", "1", "256", "-"]
                reduced = subprocess.run(quantize, input=browser.screenshot(), stdout=subprocess.PIPE, check=True)
                self.assertLess(len(reduced.stdout), LARGEST, name)
                (FOLDER / f"status-{name}-{scheme}.png").write_bytes(reduced.stdout)
