"""The installer and the zip file of deploy/windows, under Wine."""

import pathlib
import subprocess
import unittest
import zipfile

import wine_windows as windows
from test_service import free_port

CONFIG = r"C:\ProgramData\echo_exporter\echo_exporter.toml"
FOLDER = r"C:\Program Files\echo_exporter"
FILES = [
    "LICENSE", "README.md", "THIRD-PARTY-LICENSES.txt", "docs/operations.md",
    "docs/performance.md", "echo_exporter.exe", "echo_exporter.sample.toml",
]  # fmt: skip
LIBRARIES = [
    "CLI11", "cpp-httplib", "fmt", "spdlog", "toml++", "JSON for Modern C++", "prometheus-cpp",
    "zlib", "winpthreads", "GCC Runtime Library Exception", "GNU GENERAL PUBLIC LICENSE",
]  # fmt: skip
OLD, NEW = "1.0.0", "1.1.0"


def files_of(folder):
    """All files in and below the folder, by their paths in it."""
    return sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())


def build(script, *arguments):
    output = subprocess.run(
        [windows.ROOT / "deploy/windows" / script, *arguments],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout  # fmt: skip
    return windows.ROOT / output.splitlines()[-1]


class InstallerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.packages = {}
        for version in (OLD, NEW):
            package = build("build_msi", version)
            cls.packages[version] = package.rename(windows.WORK / package.name)

    def setUp(self):
        self.port = free_port()

    def tearDown(self):
        for version in (OLD, NEW):
            self.msiexec("/x", version, code=None)
        windows.path(CONFIG).unlink(missing_ok=True)

    def msiexec(self, action, version, *properties, code=0):
        package = "Z:" + str(self.packages[version]).replace("/", "\\")
        got, output = windows.run("msiexec", "/qn", action, package, *properties)
        if code is not None:
            self.assertEqual(got, code, output)
        return got

    def installed_files(self):
        return files_of(windows.path(FOLDER))

    def settings(self):
        return windows.registry(r"Software\echo_exporter")

    def test_it_installs_upgrades_and_uninstalls(self):
        self.msiexec("/i", OLD, f"LISTEN_PORT={self.port}", "FIREWALL=1")
        self.assertEqual(windows.get(self.port, "/-/ready")[0], 200)
        self.assertIn("icmp_echo_requests_total", windows.get(self.port, "/metrics")[1])
        self.assertEqual(self.installed_files(), FILES)
        service = windows.service_values()
        self.assertTrue(
            service["ImagePath"].startswith(rf'"{FOLDER}\echo_exporter.exe" --config.file="{CONFIG}"'),
            service,
        )
        self.assertEqual(service["ObjectName"], r"NT SERVICE\echo_exporter")
        # The viewer finds the texts of events in this file; a unit test reads them.
        message_file = windows.event_source_values()["EventMessageFile"]
        self.assertTrue(windows.path(message_file).is_file(), message_file)

        config = windows.path(CONFIG)
        config.write_text(config.read_text() + "# the administrator's\n")
        kept = config.read_text()
        self.msiexec("/i", NEW, r"EXTRA_FLAGS=--log.file=C:\logs\echo.log")
        self.assertEqual(windows.get(self.port, "/-/ready")[0], 200)
        self.assertEqual(config.read_text(), kept)
        self.assertEqual(
            self.settings(),
            {
                "InstallFolder": FOLDER + "\\",
                "ConfigFile": CONFIG,
                "ListenPort": str(self.port),
                "ExtraFlags": r"--log.file=C:\logs\echo.log",
                "Firewall": "1",
            },
        )
        self.assertIn("msg=serving", windows.path(r"C:\logs\echo.log").read_text())
        self.assertEqual(self.installed_files(), FILES)

        self.assertNotEqual(self.msiexec("/i", OLD, code=None), 0)  # a downgrade
        self.assertEqual(windows.get(self.port, "/-/ready")[0], 200)

        self.msiexec("/x", NEW)
        self.assertFalse(windows.is_served(self.port))
        self.assertEqual(self.installed_files(), [])
        self.assertFalse(windows.path(FOLDER).exists())
        self.assertEqual(config.read_text(), kept)
        left = (windows.service_values(), windows.event_source_values(), self.settings())
        self.assertEqual(left, ({}, {}, {}))

    def test_what_cannot_start_is_not_installed(self):
        bad = windows.path(r"C:\bad.toml")
        bad.write_text("nonsense")
        properties = (f"LISTEN_PORT={self.port}", r"CONFIG_FILE=C:\bad.toml")
        self.assertNotEqual(self.msiexec("/i", OLD, *properties, code=None), 0)
        self.assertEqual((windows.service_values(), self.installed_files()), ({}, []))

        bad.write_text("")
        self.msiexec("/i", OLD, *properties)
        self.assertIn(r"C:\bad.toml", windows.service_values()["ImagePath"])
        self.assertEqual(windows.get(self.port, "/-/ready")[0], 200)

    def test_an_upgrade_stays_in_the_folder_that_was_chosen(self):
        folder = windows.path(r"C:\my programs\echo")
        self.msiexec("/i", OLD, r"INSTALLDIR=C:\my programs\echo", f"LISTEN_PORT={self.port}")
        self.assertTrue((folder / "echo_exporter.exe").is_file())
        self.msiexec("/i", NEW)
        self.assertTrue((folder / "echo_exporter.exe").is_file())
        self.assertEqual(windows.get(self.port, "/-/ready")[0], 200)
        self.assertEqual(self.installed_files(), [])
        self.msiexec("/x", NEW)
        self.assertFalse(folder.exists())


class ZipTest(unittest.TestCase):
    def test_it_holds_a_program_that_runs_and_the_licences(self):
        with zipfile.ZipFile(build("build_zip")) as archive:
            archive.extractall(windows.WORK)
            folder = windows.WORK / pathlib.PurePosixPath(archive.namelist()[0]).parts[0]
        names = [name for name in FILES if name != "echo_exporter.sample.toml"]
        self.assertEqual(files_of(folder), names + ["echo_exporter.toml"])
        code, output = windows.run(folder / "echo_exporter.exe", "--version")
        self.assertEqual(code, 0)
        self.assertIn(folder.name.split("-")[1], output)
        licences = (folder / "THIRD-PARTY-LICENSES.txt").read_text()
        for library in LIBRARIES:
            self.assertIn(library, licences)
