"""A host of containers: namespaces of this process, with a bridge and a name server as its network."""

import contextlib
import copy
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request

from linux_machine import PATIENCE, ROOT, run, wait_for

sys.path.insert(0, str(ROOT / "tests/e2e"))
from name_server import NameServer  # noqa: E402

WORK = ROOT / "build/container-test"
BUNDLE = WORK / "bundle"
ROOT_FOLDER = BUNDLE / "rootfs"
HOST = "10.115.0.254"  # on the bridge, to which all containers are connected
NOBODY = 65534
# What the runtime mounts in every container, as those of engines and Kubernetes do.
MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
]


def build():
    """Builds the image; returns its file."""
    output = subprocess.run(
        [ROOT / "deploy/container/build"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return ROOT / output.splitlines()[-1]


def image():
    return next((WORK / "image").glob("*.tar"))


def prepare():
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "image").mkdir(parents=True)
    shutil.copy(build(), WORK / "image")
    with tarfile.open(image()) as tar:
        tar.extractall(WORK / "layout")
    names = json.loads((WORK / "layout/index.json").read_text())["manifests"][0]["annotations"]
    version = names["org.opencontainers.image.ref.name"]
    run("umoci", "unpack", "--image", f"{WORK / 'layout'}:{version}", BUNDLE)


def take_over():
    """Makes this process's network and mount namespaces the host."""
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")  # of names of namespaces, and of crun
    # crun is content with no control groups at all, and not with those of both versions.
    run("mount", "-t", "tmpfs", "tmpfs", "/sys/fs/cgroup")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "echo0", "type", "bridge")
    run("ip", "address", "add", f"{HOST}/24", "dev", "echo0")
    run("ip", "link", "set", "echo0", "up")


def image_process():
    """What the image says is to be run, as the runtime's configuration has it."""
    return json.loads((BUNDLE / "config.json").read_text())["process"]


def name_server(names):
    return NameServer(names, HOST)


class Container:
    """Runs the image on the bridge inside of a `with` block; `number` makes its address.

    `arguments` stand in for those of the image, `files` maps folders in it to {name: text}, `groups` is
    net.ipv4.ping_group_range of its network, and `resolver` further lines of its resolv.conf. It has no
    capability and cannot write to its root, as in deploy/kubernetes.
    """

    def __init__(self, number, arguments=None, files=None, groups=f"{NOBODY} {NOBODY}", resolver=""):
        self.name = f"echo{number}"
        self.address = f"10.115.0.{number}"
        self._arguments = arguments
        self._files = files or {}
        self._groups = groups
        self._resolver = resolver
        self._folder = WORK / self.name
        self.process = None

    def __enter__(self):
        self._connect()
        self._write_bundle()
        command = ["crun", "--cgroup-manager=disabled", "run", "--bundle", self._folder, self.name]
        with open(self._folder / "log", "w") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            run("crun", "delete", "--force", self.name, check=False)
            self.process.wait(PATIENCE)
        # At once, where the end of the namespace would take it some time later.
        run("ip", "link", "delete", self.name)
        run("ip", "netns", "delete", self.name)

    def _connect(self):
        inside = ("ip", "-n", self.name)
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", self.name, "master", "echo0", "up")
        run(*inside, "address", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            run(*inside, "link", "set", device, "up")
        setting = f"echo '{self._groups}' >/proc/sys/net/ipv4/ping_group_range"
        run("ip", "netns", "exec", self.name, "sh", "-c", setting)

    def _write_bundle(self):
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        (self._folder / "resolv.conf").write_text(f"nameserver {HOST}\n{self._resolver}")
        (self._folder / "hosts").write_text(f"127.0.0.1 localhost\n{self.address} {self.name}\n")
        sources = {f"/etc/{name}": self._folder / name for name in ("resolv.conf", "hosts")}
        for place, files in self._files.items():
            self.replace_files(place, files)
            sources[place] = self._volume(place)
        mounts = copy.deepcopy(MOUNTS) + [
            {"destination": place, "type": "bind", "source": str(source), "options": ["bind", "ro"]}
            for place, source in sources.items()
        ]
        process = image_process()
        if self._arguments is not None:
            process["args"] = [process["args"][0], *self._arguments]
        none = {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")}
        process |= {"terminal": False, "capabilities": none, "noNewPrivileges": True}
        spaces = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]
        spec = {
            "ociVersion": "1.0.0",
            "process": process,
            "root": {"path": str(ROOT_FOLDER), "readonly": True},
            "hostname": self.name,
            "mounts": mounts,
            "linux": {"namespaces": [*spaces, {"type": "network", "path": f"/run/netns/{self.name}"}]},
        }
        (self._folder / "config.json").write_text(json.dumps(spec, indent=2))

    def _volume(self, place):
        return self._folder / place.replace("/", "_")

    def replace_files(self, place, files):
        """Puts files into a folder, all at once, as kubelet does with those of a ConfigMap."""
        volume = self._volume(place)
        data = volume / f"..{len(list(volume.glob('..*')))}"
        data.mkdir(parents=True)
        for name, text in files.items():
            (data / name).write_text(text)
            if not (volume / name).is_symlink():
                (volume / name).symlink_to(f"..data/{name}")
        (volume / "..new").symlink_to(data.name)
        (volume / "..new").rename(volume / "..data")

    def log(self):
        return (self._folder / "log").read_text()

    def get(self, path="/metrics"):
        """The status and text of a page; a status of 0 when nobody serves."""
        try:
            with urllib.request.urlopen(f"http://{self.address}:10115{path}", timeout=PATIENCE) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_for_status(self, path, status=200):
        def look():
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.log()}")
            return self.get(path)[0] == status

        wait_for(f"{status} of {path}", look)

    def series(self, name):
        """Maps the labels of the series of that name, as text, to their values."""
        return {
            labels: float(value)
            for labels, value in re.findall(rf"^{name}{{(.*)}} (\S+)$", self.get()[1], re.MULTILINE)
        }

    def _proc(self):
        return pathlib.Path("/proc") / str(json.loads(run("crun", "state", self.name)[1])["pid"])

    def status_lines(self):
        """/proc/PID/status of the exporter, as {name: value}."""
        return dict(re.findall(r"^(\w+):\t(.*)$", (self._proc() / "status").read_text(), re.MULTILINE))

    def root(self):
        """Its root as it sees it itself."""
        return self._proc() / "root"

    def stop(self):
        """Ends it as an engine does; returns its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)
