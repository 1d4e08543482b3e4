"""What the benchmarks of Linux share: programs, what the kernel tells of them, and scrapes."""

import contextlib
import gzip
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "linux"
WORK = ROOT / "build" / "bench"
EXPORTER_URL = "http://127.0.0.1:10116"
LAG = "echo_exporter_schedule_lag_seconds"


# Programs

@contextlib.contextmanager
def running(*command):
    """A program that runs until the end of the block, whatever happens there."""
    log = WORK / f"{pathlib.Path(command[0]).name}.log"
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_served(process, url):
    for _ in range(3000):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.02)
    sys.exit(f"{process.args[0]} does not serve {url}; its log is in {WORK}")


def addresses(count):
    return [f"127.1.{(1 + i) // 256}.{(1 + i) % 256}" for i in range(count)]


@contextlib.contextmanager
def exporter(pairs, program=BUILD / "echo_exporter", settings="", nice=0):
    config = WORK / "bench.toml"
    destinations = ", ".join(f'"{address}"' for address in addresses(pairs))
    config.write_text(settings + '[web]\nlisten_addresses = ["127.0.0.1:10116"]\n'
                      f"[engine]\nmax_in_flight = {max(4096, pairs)}\n"
                      '[[group]]\nname = "bench"\ninterval = "1s"\n'
                      f"destinations = [{destinations}]\n")
    command = ["nice", f"--adjustment={nice}", str(program), "--config.file", str(config)]
    with running(*command) as process:
        wait_until_served(process, EXPORTER_URL + "/-/ready")
        yield process


def run_fields(name, *arguments):
    """The fields key=value that a program of this folder prints."""
    answer = subprocess.run([str(BUILD / name), *map(str, arguments)], check=True, timeout=300,
                            stdout=subprocess.PIPE, text=True)
    return {key: float(value) for key, value in re.findall(r"(\w+)=([\d.]+)(?!\S)", answer.stdout)}


# What the kernel tells of a process, which costs the process nothing

def kernel_icmp(name):
    """A counter of this machine's ICMP, such as OutEchos."""
    lines = pathlib.Path("/proc/net/snmp").read_text().splitlines()
    names, numbers = [line.split() for line in lines if line.startswith("Icmp:")]
    return int(numbers[names.index(name)])


def check_idle():
    echos = kernel_icmp("OutEchos")
    time.sleep(2)
    if kernel_icmp("OutEchos") != echos:
        sys.exit("something else on this machine sends echo requests")


def datagram_sockets_allowed():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True


def cpu_seconds(process):
    # The processor clock of another process, with its threads that have ended, as
    # clock_getcpuclockid(3) makes its number.
    return time.clock_gettime(~process.pid << 3 | 2)


def stolen_seconds():
    """Of all processors: when what this virtual machine runs on did something else."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")


def memory_kib(process, field):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status)[1])


def watch(process, seconds):
    """What the process does in that time; nobody scrapes it."""
    begin, cpu, echos = time.monotonic(), cpu_seconds(process), kernel_icmp("OutEchos")
    resident = 0
    while (left := begin + seconds - time.monotonic()) > 0:
        resident = max(resident, memory_kib(process, "VmRSS"))
        time.sleep(min(left, 0.5))
    elapsed = time.monotonic() - begin
    cpu, echos = cpu_seconds(process) - cpu, kernel_icmp("OutEchos") - echos
    return {"per_second": echos / elapsed, "cpu_us": cpu / echos * 1e6, "core": cpu / elapsed,
            "resident_kib": resident}


# What it tells itself

def scrape(url=EXPORTER_URL, encoding="identity", accept="text/plain"):
    """The body as bytes, since there may be 150 MB of it; seconds; bytes on the wire."""
    headers = {"Accept": accept, "Accept-Encoding": encoding}
    request = urllib.request.Request(url + "/metrics", headers=headers)
    start = time.monotonic()
    with urllib.request.urlopen(request, timeout=60) as answer:
        body = answer.read()
    took = time.monotonic() - start
    packed = answer.headers.get("Content-Encoding") == "gzip"
    return gzip.decompress(body) if packed else body, took, len(body)


def values(text, name, having=""):
    """Labels and value of each sample; looks at no other family than the sample's."""
    family = re.sub(r"_(bucket|sum|count)$", "", name)
    begin = text.find(f"# TYPE {family} ".encode())
    section = text[begin:text.find(b"\n# HELP ", begin)].decode() if begin >= 0 else ""
    pattern = rf"^{name}(\{{.*\}})? (\S+)$"
    return [(m[1] or "", float(m[2])) for m in re.finditer(pattern, section, re.M)
            if having in m[0]]


def total(text, name, having=""):
    return sum(value for _, value in values(text, name, having))


def growth(first, last, name, having=""):
    return total(last, name, having) - total(first, name, having)


def growth_of_late(first, last):
    """Ticks more than 10 ms late."""
    return growth(first, last, LAG + "_count") - growth(first, last, LAG + "_bucket", 'le="0.01"')
