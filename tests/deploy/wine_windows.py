"""A Windows of its own for a test: a Wine prefix, its drive, registry and services."""

import os
import pathlib
import re
import shutil
import subprocess
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build/installer-test"
DRIVE = WORK / "wineprefix/drive_c"
FOLDER = r"C:\ProgramData\echo_exporter"
EVENT_SOURCE = r"SYSTEM\CurrentControlSet\Services\EventLog\Application\echo_exporter"
EVENT_MESSAGE_FILE = r"%SystemRoot%\System32\EventCreate.exe"
PROGRAM = ROOT / "build/windows-mingw/echo_exporter.exe"
_ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
    "WINEPREFIX": str(WORK / "wineprefix"),
    "WINEDEBUG": "-all",
}
# Far more than anything takes: tests do not judge speed.
PATIENCE = 300  # seconds


def start():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    run("cmd", "/c", "exit")


def stop():
    if DRIVE.is_dir():
        subprocess.run(["wineserver", "--kill"], env=_ENVIRONMENT, check=False)


def run(*arguments):
    """Runs a Windows program to its end; returns (exit code, all of its output)."""
    # A file: services inherit the output and would keep a pipe open.
    output = WORK / "output"
    with open(output, "wb") as file:
        ended = subprocess.run(
            [ROOT / "cmake/run_under_wine.sh", *map(str, arguments)],
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            timeout=PATIENCE,
            check=False,
        )
    return ended.returncode, output.read_bytes().decode(errors="replace").replace("\r\n", "\n")


def path(windows_path):
    """Where a path on drive C: is for us."""
    drive, *names = windows_path.split("\\")
    assert drive == "C:", windows_path
    return DRIVE.joinpath(*names)


def registry(key):
    """The values of a key of HKEY_LOCAL_MACHINE as text, by name; empty when there is no such key."""
    code, output = run("reg", "query", rf"HKLM\{key}")
    if code != 0:
        return {}
    values = re.findall(r"^    (\S+)    REG_\w+    (.*)$", output, re.MULTILINE)
    return {name: value.strip() for name, value in values}


def registry_types(key):
    """The types of the same, as in REG_SZ."""
    _, output = run("reg", "query", rf"HKLM\{key}")
    return dict(re.findall(r"^    (\S+)    (REG_\w+) ", output, re.MULTILINE))


def set_registry(key, name, value):
    code, output = run("reg", "add", rf"HKLM\{key}", "/v", name, "/d", value, "/f")
    assert code == 0, output


def service_values():
    return registry(r"SYSTEM\CurrentControlSet\Services\echo_exporter")


def event_source_values():
    return registry(EVENT_SOURCE)


def get(port, page):
    """(status, text) of a page of the exporter."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{page}", timeout=PATIENCE) as response:
        return response.status, response.read().decode()


def is_served(port):
    try:
        get(port, "/-/healthy")
        return True
    except OSError:
        return False
