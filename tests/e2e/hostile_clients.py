#!/usr/bin/env python3
"""Clients that mean no good to an HTTP server, all at once, until SIGTERM.

Usage: tests/e2e/hostile_clients.py HOST:PORT SLOW PROBES BROKEN PROBE_PATH PROBE_PAUSE

SLOW connections send a header a second and never end their request (slowloris); PROBES clients ask
for PROBE_PATH again and again, each PROBE_PAUSE seconds after its answer; BROKEN clients send what
is no request, or too long a one. Who is cut off comes back a moment later. At the end one line of JSON
counts, by kind, the statuses of the answers, and under "none" what ended without one.
"""

import asyncio
import collections
import contextlib
import json
import os
import random
import signal
import sys

PAUSE = 0.5  # seconds, before a client comes back
ANSWER_WITHIN = 300  # seconds
SOURCE = "127.0.0.2"  # not the address of those who mean well

HEAD = b"GET /metrics HTTP/1.1\r\nHost: a\r\n"
BROKEN_REQUESTS = [
    HEAD + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n",
    HEAD + b"".join(b"X-%d: y\r\n" % i for i in range(20_000)) + b"\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500) + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /metrics\r\n\r\n",
    b"GET /metrics HTTP/9.9\r\nHost: a\r\n\r\n",
    b"POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nx",
    b"POST /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
    b"BREW /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /probe?target=" + b"%" * 5_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\n" * 10_000,
    bytes(range(256)) * 100,
]


class Clients:
    def __init__(self, address, probe_path, probe_pause):
        self._host, port = address.split(":")
        self._port = int(port)
        self._probe = f"GET {probe_path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        self._probe_pause = probe_pause
        self._random = random.Random(1)
        self._tasks = []  # asyncio itself does not keep them
        self.counts = {kind: collections.Counter() for kind in ("slow", "probe", "broken")}

    def start(self, kind, client):
        self._tasks.append(asyncio.create_task(self._for_ever(kind, client)))

    async def _for_ever(self, kind, client):
        await asyncio.sleep(self._random.random() * PAUSE)
        while True:
            status = "none"
            with contextlib.suppress(OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection(
                    self._host, self._port, local_addr=(SOURCE, 0)
                )
                try:
                    status = await asyncio.wait_for(client(reader, writer), ANSWER_WITHIN)
                finally:
                    writer.close()
            self.counts[kind][status] += 1
            again_at_once = kind == "probe" and status != "none"
            await asyncio.sleep(self._probe_pause if again_at_once else PAUSE)

    async def slow(self, reader, writer):
        writer.write(HEAD)
        answer = asyncio.ensure_future(read_status(reader))
        try:
            while not answer.done():
                await asyncio.sleep(1)
                writer.write(b"X-Slow: 1\r\n")
                await writer.drain()
            return answer.result()
        finally:
            answer.cancel()

    async def probe(self, reader, writer):
        writer.write(self._probe)
        status = await read_status(reader)
        await reader.read()
        return status

    async def broken(self, reader, writer):
        writer.write(self._random.choice(BROKEN_REQUESTS))
        # The server may answer, and close, before it has read everything.
        return await read_status(reader)


async def read_status(reader):
    line = await reader.readuntil(b"\n")
    return line.split(b" ")[1].decode()


async def main():
    address, slow, probes, broken, probe_path, probe_pause = sys.argv[1:]
    clients = Clients(address, probe_path, float(probe_pause))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    for kind, client, count in (
        ("slow", clients.slow, slow),
        ("probe", clients.probe, probes),
        ("broken", clients.broken, broken),
    ):
        for _ in range(int(count)):
            clients.start(kind, client)
    print("ready", flush=True)
    await stopped.wait()
    print(json.dumps(clients.counts), flush=True)
    os._exit(0)  # the clients would go on


asyncio.run(main())
