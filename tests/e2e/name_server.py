"""A name server for the namespace of the tests, which may die and come back."""

import socket
import struct
import threading

_A, _IN = 1, 1
_NO_SUCH_NAME = 3
_TTL = 1  # seconds


class NameServer:
    """Serves `names`, {name: IPv4 address}, inside of a `with` block, while `alive`.

    Several addresses are separated by spaces. It has no answer to a name whose address is None.
    `ignored` are the names that had none because it was not alive.
    """

    def __init__(self, names, address="127.0.0.1"):
        self.names = names
        self.alive = True
        self.ignored = set()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
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
        while True:
            query, client = self._socket.recvfrom(512)
            if not query:
                return
            if response := self._respond(query):
                self._socket.sendto(response, client)

    def _respond(self, query):
        """The response; None when there is none."""
        labels, end = [], 12
        while length := query[end]:
            labels.append(query[end + 1 : end + 1 + length].decode())
            end += 1 + length
        kind = struct.unpack_from("!H", query, end + 1)[0]
        name = ".".join(labels).lower()
        if not self.alive:
            self.ignored.add(name)
            return None
        address = self.names.get(name, "")
        if address is None:
            return None
        answers = []
        if address and kind == _A:
            # The name is where the query has it, at byte 12.
            head = struct.pack("!HHHIH", 0xC00C, _A, _IN, _TTL, 4)
            answers = [head + socket.inet_aton(one) for one in address.split()]
        # A response, with recursion available.
        flags = 0x8180 | (0 if address else _NO_SUCH_NAME)
        head = query[:2] + struct.pack("!HHHHH", flags, 1, len(answers), 0, 0)
        return head + query[12 : end + 5] + b"".join(answers)
