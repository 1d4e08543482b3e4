"""A reverse proxy that has the exporter below a path of its own."""

import http.client
import http.server
import threading

PREFIX = "/mon/echo"


class Proxy(http.server.ThreadingHTTPServer):
    """Serves `address` below PREFIX, inside of a `with` block; `refused` are the paths outside of it."""

    daemon_threads = True

    def __init__(self, address):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = address
        self.refused = []
        self.url = f"http://127.0.0.1:{self.server_port}{PREFIX}/"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return super().__enter__()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if not self.path.startswith(PREFIX + "/"):
            self.server.refused.append(self.path)
            self.send_error(404)
            return
        upstream = http.client.HTTPConnection(self.server.address, timeout=300)
        headers = {name: value for name, value in self.headers.items() if name != "Connection"}
        upstream.request(self.command, self.path[len(PREFIX) :], headers=headers)
        response = upstream.getresponse()
        body = response.read()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name not in ("Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        upstream.close()

    do_POST = do_GET
