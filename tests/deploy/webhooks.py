"""A real Alertmanager, and where its notifications go."""

import http.server
import json
import shutil
import threading

SHIPPED_URL = "http://127.0.0.1:9099"  # of the receivers in alertmanager.yml


def alertmanager(config, data, address, *options):
    """The command that runs one, alone."""
    return [
        shutil.which("prometheus-alertmanager") or "alertmanager",
        f"--config.file={config}",
        f"--storage.path={data}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
        *options,
    ]


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what webhooks send: (path, alerts)."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.notifications = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class ReceiverHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.notifications.append((self.path, body["alerts"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass
