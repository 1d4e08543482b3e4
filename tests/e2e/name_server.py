"""A name server for the namespace of the tests, which may die and come back."""

import socket
import struct
import threading

_A, _IN = 1, 1
_NO_SUCH_NAME = 3
_TTL = 1  # seconds


class NameServer:
    """Serves `names`, {name: IPv4 address}, inside of a `with` block, while `alive`."""

    def __init__(self, names):
        self.names = names
        self.alive = True
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        # Wakes the thread, which a mere close() would not.
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while query := self._receive():
            if self.alive:
                self._socket.sendto(*query)

    def _receive(self):
        """Waits for a query; returns the response and who gets it, or None at the end."""
        query, client = self._socket.recvfrom(512)
        return (self._respond(query), client) if query else None

    def _respond(self, query):
        labels, end = [], 12
        while length := query[end]:
            labels.append(query[end + 1 : end + 1 + length].decode())
            end += 1 + length
        kind = struct.unpack_from("!H", query, end + 1)[0]
        address = self.names.get(".".join(labels).lower())
        answers = b""
        if address and kind == _A:
            # The name is where the query has it, at byte 12.
            answers = struct.pack("!HHHIH", 0xC00C, _A, _IN, _TTL, 4) + socket.inet_aton(address)
        # A response, with recursion available.
        flags = 0x8180 | (0 if address else _NO_SUCH_NAME)
        head = query[:2] + struct.pack("!HHHHH", flags, 1, 1 if answers else 0, 0, 0)
        return head + query[12 : end + 5] + answers
