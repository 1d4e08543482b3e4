"""Installing, upgrading, removing and purging the package."""

import pathlib
import subprocess
import unittest

import linux_machine as machine

# What dpkg itself writes.
NOT_OURS = ("/var/lib/dpkg", "/var/log/dpkg.log", "/var/cache/man", "/var/cache/ldconfig")


def files():
    """All files, links and folders of the machine but those of running programs."""
    command = ["find", "/etc", "/lib/systemd", "/usr", "/var", "-xdev"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {path for path in found.splitlines() if not path.startswith(NOT_OURS)}


class PackageTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(machine.purge)

    def state(self):
        command = ("dpkg-query", "--show", "--showformat=${db:Status-Status}", "echo-exporter")
        return machine.run(*command, check=False)[1]

    def test_policy(self):
        for version in (machine.OLD, machine.NEW):
            code, output = machine.run(
                *("lintian", "--allow-root", "--fail-on=error,warning", machine.package(version)),
                check=False,
            )
            self.assertEqual(code, 0, output)

    def test_depends_on_the_libraries_that_it_loads(self):
        depends = machine.run("dpkg-deb", "--field", machine.package(machine.OLD), "Depends")[1]
        for library in ("libc6", "libstdc++6", "zlib1g"):
            self.assertIn(f"{library} (>= ", depends)

    def test_has_the_licences_of_the_libraries_in_the_program(self):
        machine.install(machine.OLD)
        text = pathlib.Path("/usr/share/doc/echo-exporter/copyright").read_text()
        for name in ("CLI11", "cpp-httplib", "fmtlib", "spdlog", "toml++", "prometheus-cpp"):
            self.assertIn(f"\n{name}\n===", text)

    def test_has_the_documents(self):
        machine.install(machine.OLD)
        names = ["dashboard", "discovery", "http-api", "migrating", "operations", "performance"]
        for name in [*names, "prometheus"]:
            installed = pathlib.Path(f"/usr/share/doc/echo-exporter/{name}.md")
            self.assertEqual(installed.read_text(), (machine.ROOT / f"docs/{name}.md").read_text())

    def test_configuration_is_good_and_probes_loopback_only(self):
        machine.install(machine.OLD)
        output = machine.run(*machine.unit_command(), "--config.check")[1]
        self.assertIn(": OK (1 group, 1 pair)", output)
        self.assertIn('destinations = ["127.0.0.1"]', machine.CONFIG.read_text())

    def test_purge_leaves_nothing(self):
        before = files()
        machine.install(machine.OLD)
        self.assertTrue(files() - before)
        log = pathlib.Path("/var/log/echo_exporter")
        log.mkdir()
        (log / "echo.log").write_text("a line\n")
        machine.purge()
        self.assertEqual(files() ^ before, set())

    def test_removing_keeps_the_configuration(self):
        machine.install(machine.OLD)
        machine.CONFIG.write_text("# mine\n")
        machine.run("dpkg", "--remove", "echo-exporter")
        self.assertEqual(self.state(), "config-files")
        self.assertFalse(machine.UNIT.exists())
        self.assertEqual(machine.CONFIG.read_text(), "# mine\n")
        machine.install(machine.OLD)
        self.assertEqual(machine.CONFIG.read_text(), "# mine\n")

    def test_upgrading_keeps_what_was_changed(self):
        machine.install(machine.OLD)
        machine.CONFIG.write_text(machine.CONFIG.read_text().replace('"1s"', '"100ms"'))
        machine.DEFAULTS.write_text('ARGS="--log.level=debug"\n')
        machine.run("systemctl", "disable", "echo_exporter")
        machine.install(machine.NEW)
        version = machine.run("dpkg-query", "--show", "--showformat=${Version}", "echo-exporter")
        self.assertEqual(version[1], machine.NEW)
        self.assertIn('interval = "100ms"', machine.CONFIG.read_text())
        self.assertIn("--log.level=debug", machine.unit_command())
        wants = pathlib.Path("/etc/systemd/system/multi-user.target.wants/echo_exporter.service")
        self.assertFalse(wants.is_symlink(), "enabled again")
        with machine.Service():
            machine.wait_for("a reply", lambda: machine.metric("icmp_echo_up") == 1)
