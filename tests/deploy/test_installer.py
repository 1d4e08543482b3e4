"""The installer and the zip file of deploy/windows, under Wine."""

import csv
import pathlib
import shutil
import subprocess
import unittest
import zipfile

import wine_windows as windows
from test_service import free_port, wait_for

CONFIG = windows.FOLDER + r"\echo_exporter.toml"
FOLDER = r"C:\Program Files\echo_exporter"
FILES = [
    "LICENSE", "README.md", "THIRD-PARTY-LICENSES.txt", "docs/dashboard.md", "docs/discovery.md",
    "docs/http-api.md", "docs/migrating.md", "docs/operations.md", "docs/performance.md",
    "docs/prometheus.md", "echo_exporter.exe", "echo_exporter.sample.toml",
]  # fmt: skip
LIBRARIES = [
    "CLI11", "cpp-httplib", "fmt", "spdlog", "toml++", "JSON for Modern C++", "prometheus-cpp",
    "zlib", "winpthreads", "GCC Runtime Library Exception", "GNU GENERAL PUBLIC LICENSE",
]  # fmt: skip
OLD, NEW, BROKEN = "1.0.0", "1.1.0", "1.1.0, which fails"


def files_of(folder):
    """All files in and below the folder, by their paths in it."""
    return sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())


def build(script, *arguments):
    output = subprocess.run(
        [windows.ROOT / "deploy/windows" / script, *arguments],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout  # fmt: skip
    return windows.ROOT / output.splitlines()[-1]


def table(package, name):
    """The rows of a table of the package, each by the names of its columns."""
    text = subprocess.run(
        ["msiinfo", "export", package, name], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    names, _, _, *rows = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [dict(zip(names, row)) for row in rows]


class PackageTest(unittest.TestCase):
    """What Wine does not act upon: read in the package."""

    RULE = 'name="echo_exporter (installer)"'

    @classmethod
    def setUpClass(cls):
        built = build("build_msi", "0.9.0")
        cls.package = built.rename(windows.WORK / built.name)

    def table(self, name):
        return table(self.package, name)

    def sequence(self):
        rows = self.table("InstallExecuteSequence")
        return {row["Action"]: int(row["Sequence"]) for row in rows}

    def test_the_old_version_goes_last_and_within_the_transaction(self):
        sequence = self.sequence()
        self.assertLess(sequence["InstallExecute"], sequence["RemoveExistingProducts"])
        self.assertLess(sequence["RemoveExistingProducts"], sequence["InstallFinalize"])
        # So files of the same version, and those without one, must be replaced.
        properties = {row["Property"]: row["Value"] for row in self.table("Property")}
        self.assertEqual(properties["REINSTALLMODE"], "amus")
        program = next(row for row in self.table("File") if row["File"] == "ProgramFile")
        self.assertRegex(program["Version"], r"^\d+\.\d+\.\d+\.0$")

    def test_components_have_the_identifiers_that_upgrades_rely_upon(self):
        self.assertEqual(
            {row["Component"]: row["ComponentId"] for row in self.table("Component")},
            {
                "Program": "{4FD41F9F-FDC0-4E6F-83A9-C05B9E9EEFC8}",
                "Texts": "{8B713941-E244-4837-B40C-65938C2B8592}",
                "Documents": "{739FA138-EE74-4F49-9803-B180441157F1}",
                "PageDocuments": "{F9A180FC-6549-449B-A8DE-5E96FC00B4BE}",
                "FleetDocuments": "{57E12AF5-7254-425F-AA70-D97DA040E2F9}",
                "ConfigFolder": "{D396EDFB-0894-4BAD-99B5-9514AAE1DCC7}",
                "LogFolder": "{7ADC3590-B72A-4DE5-91D9-935695F4035B}",
                "Configuration": "{8699900A-F480-4DD5-B96F-259EE8E10B75}",
            },
        )

    def test_each_deferred_action_is_taken_back_by_one_before_it(self):
        taken_back_by = {
            "StopService": ["RollBackStopService"],
            "ConfigureService": ["RollBackConfigureService"],
            "RemoveFirewallRule": ["RestoreFirewallRule"],
            "AddFirewallRule": ["RollBackFirewallRule", "RestoreFirewallRule"],
        }
        deferred, rollback = 1024, 256
        sequence = self.sequence()
        types = {row["Action"]: int(row["Type"]) for row in self.table("CustomAction")}
        actions = {name for name, kind in types.items() if kind & deferred}
        self.assertEqual({name for name in actions if not types[name] & rollback}, set(taken_back_by))
        for action, partners in taken_back_by.items():
            for partner in partners:
                self.assertTrue(types[partner] & rollback, partner)
                self.assertLess(sequence[partner], sequence[action])
        # A rollback runs backwards: the old version's settings when its files and its service are back,
        # its start after that; no rule of the new version, and then the old one's.
        for later, earlier in (
            ("InstallFiles", "RollBackConfigureService"),
            ("DeleteServices", "RollBackConfigureService"),
            ("RollBackConfigureService", "RollBackStopService"),
            ("RollBackFirewallRule", "RestoreFirewallRule"),
        ):
            self.assertLess(sequence[earlier], sequence[later])

    def test_removing_an_old_version_in_an_upgrade_touches_nothing_of_the_new_one(self):
        conditions = {row["Action"]: row["Condition"] for row in self.table("InstallExecuteSequence")}
        types = {row["Action"]: int(row["Type"]) for row in self.table("CustomAction")}
        for action in [name for name, kind in types.items() if kind & 1024]:
            if not conditions[action].endswith("$Program = 3"):  # which is when it is installed
                self.assertIn(" AND NOT UPGRADINGPRODUCTCODE", conditions[action], action)

    def test_commands_run_in_a_folder_of_windows_and_touch_only_the_rule_of_the_installer(self):
        self.assertIn("System64Folder", [row["Directory"] for row in self.table("Directory")])
        commands = [row for row in self.table("CustomAction") if "netsh" in row["Target"]]
        self.assertEqual(len(commands), 4)
        for command in commands:
            self.assertEqual(command["Source"], "System64Folder")
            self.assertIn(self.RULE, command["Target"])
            self.assertLessEqual(len(command["Target"]), 255)
            if " add " in command["Target"]:
                self.assertIn('program="[#ProgramFile]" service=echo_exporter', command["Target"])

    def test_the_folders_are_for_administrators_and_the_service(self):
        # The texts themselves are compared with those of the program in its own tests.
        self.assertEqual(
            {
                (row["LockObject"], row["Table"]): "0x1301bf" in row["SDDLText"]
                for row in self.table("MsiLockPermissionsEx")
            },
            {("CONFIGDIR", "CreateFolder"): False, ("LOGDIR", "CreateFolder"): True},
        )
        # Not of the component that is not installed where there is a configuration.
        self.assertEqual(
            {row["Directory_"]: row["Component_"] for row in self.table("CreateFolder")},
            {"CONFIGDIR": "ConfigFolder", "LOGDIR": "LogFolder"},
        )

    def test_only_stopping_is_waited_for(self):
        self.assertEqual(
            {row["ServiceControl"]: (row["Event"], row["Wait"]) for row in self.table("ServiceControl")},
            {"StopService": (str(0x02 | 0x20 | 0x80), "1"), "StartService": ("1", "0")},
        )


class InstallerTest(unittest.TestCase):
    NETSH = r"C:\netsh.log"
    BUILD = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"

    @classmethod
    def setUpClass(cls):
        # As Windows 10; a new prefix of Wine 8 may be Windows 7.
        windows.set_registry(cls.BUILD, "CurrentBuildNumber", "14393")
        cls.packages = {}
        for version in (OLD, NEW):
            package = build("build_msi", version)
            cls.packages[version] = package.rename(windows.WORK / package.name)
        cls.packages[BROKEN] = windows.WORK / "broken.msi"
        shutil.copy(cls.packages[NEW], cls.packages[BROKEN])
        for statement in (
            "INSERT INTO CustomAction (Action, Type, Source, Target) VALUES"
            """ ('Break', 3106, 'System64Folder', '"[System64Folder]cmd.exe" /c exit 1')""",
            "INSERT INTO InstallExecuteSequence (Action, Sequence) VALUES ('Break', 5999)",
        ):
            subprocess.run(["msibuild", cls.packages[BROKEN], "-q", statement], check=True)
        # Wine has a netsh that does nothing, and would prefer it.
        code, output = windows.run(
            "reg", "add", r"HKCU\Software\Wine\DllOverrides", "/v", "netsh.exe", "/d", "native", "/f"
        )
        assert code == 0, output
        subprocess.run(
            [
                "x86_64-w64-mingw32-g++-posix", "-static",
                "-o", windows.path(r"C:\windows\system32\netsh.exe"),
                windows.ROOT / "tests/deploy/testdata/netsh_windows.cc",
            ],
            check=True,
        )  # fmt: skip

    def setUp(self):
        self.port = free_port()
        windows.path(self.NETSH).write_text("")

    def tearDown(self):
        for version in (OLD, NEW):
            self.msiexec("/x", version, code=None)
        shutil.rmtree(windows.path(windows.FOLDER), ignore_errors=True)

    def msiexec(self, action, version, *properties, code=0):
        package = "Z:" + str(self.packages[version]).replace("/", "\\")
        got, output = windows.run("msiexec", "/qn", action, package, *properties)
        if code is not None:
            self.assertEqual(got, code, output)
        return got

    def wait_until_ready(self):
        """The installer does not wait until a service that it has started is ready."""
        wait_for("ready", lambda: windows.is_served(self.port))
        self.assertEqual(windows.get(self.port, "/-/ready")[0], 200)

    def installed_files(self):
        return files_of(windows.path(FOLDER))

    def settings(self):
        return windows.registry(r"Software\echo_exporter")

    def rules(self):
        """How many rules the firewall would have by what was asked of netsh."""
        rules = []
        for line in windows.path(self.NETSH).read_text().splitlines():
            self.assertIn('name="echo_exporter (installer)"', line)
            if " delete rule " in line:
                rules.clear()
            else:
                self.assertIn(rf'program="{FOLDER}\echo_exporter.exe" service=echo_exporter', line)
                rules.append(line)
        return len(rules)

    def mark_service(self):
        """As an administrator changes a setting that no installer knows."""
        windows.set_registry(r"SYSTEM\CurrentControlSet\Services\echo_exporter", "Marker", "kept")

    def is_marked(self):
        return windows.service_values().get("Marker") == "kept"

    def test_it_installs_upgrades_and_uninstalls(self):
        self.msiexec("/i", OLD, f"LISTEN_PORT={self.port}", "FIREWALL=1")
        self.wait_until_ready()
        self.assertIn("icmp_echo_requests_total", windows.get(self.port, "/metrics")[1])
        self.assertEqual(self.installed_files(), FILES)
        service = windows.service_values()
        self.assertTrue(
            service["ImagePath"].startswith(rf'"{FOLDER}\echo_exporter.exe" --config.file={CONFIG} '),
            service,
        )
        self.assertEqual(service["ObjectName"], r"NT SERVICE\echo_exporter")
        # The viewer finds the texts of events in this file, which Wine does not have.
        message_file = windows.event_source_values()["EventMessageFile"]
        self.assertEqual(message_file, windows.EVENT_MESSAGE_FILE)
        types = windows.registry_types(windows.EVENT_SOURCE)
        self.assertEqual(types["EventMessageFile"], "REG_EXPAND_SZ")
        self.assertEqual(self.rules(), 1)
        self.mark_service()

        config = windows.path(CONFIG)
        config.write_text(config.read_text() + "# the administrator's\n")
        kept = config.read_text()
        self.msiexec("/i", NEW, r"EXTRA_FLAGS=--log.file=C:\logs\echo.log")
        self.wait_until_ready()
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
        log = windows.path(r"C:\logs\echo.log")
        wait_for("a line of the log", lambda: "msg=serving" in log.read_text())
        self.assertEqual(self.installed_files(), FILES)
        self.assertTrue(self.is_marked(), "the upgrade has made the service anew")
        self.assertEqual(self.rules(), 1)

        self.msiexec("/x", NEW)
        self.assertFalse(windows.is_served(self.port))
        self.assertEqual(self.installed_files(), [])
        self.assertFalse(windows.path(FOLDER).exists())
        self.assertEqual(config.read_text(), kept)
        left = (windows.service_values(), windows.event_source_values(), self.settings())
        self.assertEqual(left, ({}, {}, {}))
        self.assertEqual(self.rules(), 0)

    def program(self, *arguments):
        return windows.run(windows.path(FOLDER) / "echo_exporter.exe", *arguments)

    def test_an_error_in_the_configuration_undoes_neither_installation_nor_upgrade(self):
        bad = windows.path(r"C:\bad.toml")
        bad.write_text("nonsense")
        self.msiexec("/i", OLD, f"LISTEN_PORT={self.port}", r"CONFIG_FILE=C:\bad.toml")
        wait_for("the end", lambda: "exit code 2" in self.program("service", "status")[1])
        self.assertIn(r"C:\bad.toml", windows.service_values()["ImagePath"])
        self.mark_service()
        self.msiexec("/i", NEW)
        wait_for("the end", lambda: "exit code 2" in self.program("service", "status")[1])
        self.assertEqual(self.installed_files(), FILES)
        self.assertTrue(self.is_marked())

        bad.write_text("")
        self.assertEqual(self.program("service", "start")[0], 0)
        self.wait_until_ready()

    def test_the_rule_of_the_version_before_survives_an_upgrade_that_fails(self):
        """Wine's rollback removes the service and files of both versions; only commands show."""
        self.msiexec("/i", OLD, f"LISTEN_PORT={self.port}", "FIREWALL=1")
        self.assertNotEqual(self.msiexec("/i", BROKEN, code=None), 0)
        self.assertEqual(self.rules(), 1)

    def test_an_installation_that_fails_leaves_no_rule(self):
        self.assertNotEqual(self.msiexec("/i", BROKEN, "FIREWALL=1", code=None), 0)
        self.assertEqual(self.rules(), 0)

    def test_an_older_version_is_refused(self):
        """Not after an upgrade: Wine 8 forgets the new version when it removes the old one."""
        self.msiexec("/i", NEW, f"LISTEN_PORT={self.port}")
        self.assertNotEqual(self.msiexec("/i", OLD, code=None), 0)
        self.wait_until_ready()

    def test_an_upgrade_that_wants_no_firewall_rule_removes_that_of_the_installer(self):
        self.msiexec("/i", OLD, f"LISTEN_PORT={self.port}", "FIREWALL=1")
        self.assertEqual(self.rules(), 1)
        self.msiexec("/i", NEW, "FIREWALL=0")
        self.assertEqual(self.rules(), 0)

    def test_a_folder_that_was_there_is_taken_from_its_users(self):
        folder = windows.path(windows.FOLDER)
        folder.mkdir()
        folder.chmod(0o777)
        self.msiexec("/i", OLD, f"LISTEN_PORT={self.port}")
        for path in (folder, folder / "logs"):
            # What Wine keeps of it: others may not write any more.
            self.assertEqual(path.stat().st_mode & 0o002, 0, path)

    def test_windows_that_is_too_old_is_refused(self):
        windows.set_registry(self.BUILD, "CurrentBuildNumber", "14392")
        self.assertNotEqual(self.msiexec("/i", OLD, code=None), 0)
        self.assertEqual((windows.service_values(), self.installed_files()), ({}, []))
        windows.set_registry(self.BUILD, "CurrentBuildNumber", "14393")
        self.msiexec("/i", OLD, f"LISTEN_PORT={self.port}")

    def test_an_upgrade_stays_in_the_folder_that_was_chosen(self):
        folder = windows.path(r"C:\my programs\echo")
        self.msiexec("/i", OLD, r"INSTALLDIR=C:\my programs\echo", f"LISTEN_PORT={self.port}")
        self.assertTrue((folder / "echo_exporter.exe").is_file())
        self.msiexec("/i", NEW)
        self.assertTrue((folder / "echo_exporter.exe").is_file())
        self.wait_until_ready()
        self.assertEqual(self.installed_files(), [])
        self.msiexec("/x", NEW)
        self.assertFalse(folder.exists())

    def test_an_upgrade_into_another_folder_is_refused(self):
        self.msiexec("/i", OLD, f"LISTEN_PORT={self.port}")
        for folder in (r"C:\elsewhere", FOLDER[:-1], r"C:\Program Files"):
            self.assertNotEqual(self.msiexec("/i", NEW, f"INSTALLDIR={folder}", code=None), 0, folder)
            self.wait_until_ready()
            self.assertEqual(self.installed_files(), FILES)
        self.msiexec("/i", NEW, f"INSTALLDIR={FOLDER.upper()}")
        self.wait_until_ready()
        self.assertEqual(self.installed_files(), FILES)


class ZipTest(unittest.TestCase):
    def test_it_holds_a_program_that_runs_and_the_licences(self):
        with zipfile.ZipFile(build("build_zip")) as archive:
            archive.extractall(windows.WORK)
            folder = windows.WORK / pathlib.PurePosixPath(archive.namelist()[0]).parts[0]
        self.assertEqual(files_of(folder), FILES + ["echo_exporter.toml"])
        code, output = windows.run(folder / "echo_exporter.exe", "--version")
        self.assertEqual(code, 0)
        self.assertIn(folder.name.split("-")[1], output)
        licences = (folder / "THIRD-PARTY-LICENSES.txt").read_text()
        for library in LIBRARIES:
            self.assertIn(library, licences)
