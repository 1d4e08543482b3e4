"""A real blackbox_exporter with a module for ICMP, for comparison."""

import exporter
import processes

ADDRESS = "127.0.0.1:9115"
CONFIG = """
modules:
  icmp:
    prober: icmp
    timeout: 2s
    icmp: {preferred_ip_protocol: ip4}
"""


class Blackbox(processes.Daemon):
    def __init__(self):
        path = processes.work_file("blackbox.yml")
        path.write_text(CONFIG)
        command = [
            "prometheus-blackbox-exporter",
            f"--config.file={path}",
            f"--web.listen-address={ADDRESS}",
        ]
        super().__init__("blackbox", command)

    def is_ready(self):
        try:
            return exporter.get("/-/healthy", address=ADDRESS)[0] == 200
        except OSError:
            return False


def probe(target, headers=None):
    """Returns the status and the text of a request to /probe."""
    return exporter.get(f"/probe?module=icmp&target={target}", headers, address=ADDRESS)
