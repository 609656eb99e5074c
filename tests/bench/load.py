"""A closed loop of requests over a few kept connections on loopback: one process, no threads, as little of the
processor as can be. The same for every path that is measured."""

import os
import selectors
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

CONNECTIONS = 8
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Driven:
    """``rate``: requests a second; ``cpu``: microseconds of the server's and the database's processors per request."""

    rate: float
    cpu: float
    statuses: Counter[int]


def request(method: str, path: str, key: str, body: bytes = b"", once: str = "") -> bytes:
    """One HTTP request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Api-Key {key}"]
    if once:
        lines.append(f"Idempotency-Key: {once}")
    if method == "POST":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def drive(port: int, requests: Iterator[bytes], seconds: float, processes: list[int]) -> Driven:
    """As many requests as are answered in so many seconds, each connection one at a time."""
    before = cpu_of(processes)
    selector = selectors.DefaultSelector()
    statuses: Counter[int] = Counter()
    buffers: dict[socket.socket, bytearray] = {}
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        buffers[connection] = bytearray()
        connection.sendall(next(requests))
    start = perf_counter()
    end = start + seconds
    try:
        while perf_counter() < end:
            for ready, _events in selector.select(timeout=5):
                connection = ready.fileobj  # type: ignore[assignment]
                buffer = buffers[connection]
                received = connection.recv(1 << 20)
                if not received:
                    raise ConnectionError("the server closed a connection")
                buffer += received
                if _whole(buffer):
                    statuses[int(buffer[9:12])] += 1
                    buffer.clear()
                    connection.sendall(next(requests))
        took = perf_counter() - start
    finally:
        for connection in buffers:
            connection.close()
        selector.close()
    done = statuses.total()
    return Driven(done / took, (cpu_of(processes) - before) / max(done, 1) * 1e6, statuses)


def _whole(buffer: bytearray) -> bool:
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return False
    at = buffer.lower().find(b"content-length:", 0, head)
    length = int(buffer[at + 15 : buffer.index(b"\r\n", at)])
    return len(buffer) >= head + 4 + length


def cpu_of(processes: list[int]) -> float:
    """Seconds of processor time that these processes have used."""
    used = 0.0
    for process in processes:
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        used += (int(fields[11]) + int(fields[12])) / _TICKS
    return used


def family(process: int) -> list[int]:
    """A process and all that it started."""
    found = [process]
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found
