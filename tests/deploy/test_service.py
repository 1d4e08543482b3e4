"""`echo_exporter service` under Wine's service control manager."""

import contextlib
import random
import re
import socket
import time
import unittest

import wine_windows as windows

CONFIG = """
[web]
listen_addresses = ["127.0.0.1:{port}"]
[[group]]
name = "g"
interval = "100ms"
destinations = [{destinations}]
"""


def free_port():
    """A port that is free now, and below those that the system gives to whoever names none."""
    while True:
        port = random.randrange(20_000, 32_768)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def wait_for(what, condition):
    deadline = time.monotonic() + windows.PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {windows.PATIENCE} s: {what}")
        time.sleep(0.1)


class ServiceTest(unittest.TestCase):
    FOLDER = r"C:\my folder"
    LOG = FOLDER + r"\logs\echo.log"

    def setUp(self):
        self.port = free_port()
        windows.path(self.FOLDER).mkdir(exist_ok=True)
        self.config_file = windows.path(self.FOLDER + r"\config.toml")
        self.write_config('"127.0.0.1"')
        self.addCleanup(windows.run, windows.PROGRAM, "service", "uninstall")

    def write_config(self, destinations):
        self.config_file.write_text(CONFIG.format(port=self.port, destinations=destinations))

    def service(self, *arguments, code=0):
        got, output = windows.run(windows.PROGRAM, "service", *arguments)
        self.assertEqual(got, code, output)
        return output

    def install(self, *options):
        return self.service(
            "install", rf"--config.file={self.FOLDER}\config.toml", *options,
            rf"--log.file={self.LOG}",
        )  # fmt: skip

    def wait_for_metric(self, line):
        wait_for(line, lambda: line in windows.get(self.port, "/metrics")[1].splitlines())

    def log(self):
        return windows.path(self.LOG).read_text()

    def test_it_is_installed_with_its_options_and_removed_without_a_trace(self):
        self.install("--log.level=debug")
        values = windows.service_values()
        self.assertRegex(
            values["ImagePath"],
            r'^"Z:\\.*\\echo_exporter\.exe" "--config\.file=C:\\my folder\\config\.toml" '
            r'.*"--log\.file=C:\\my folder\\logs\\echo\.log"',
        )
        self.assertIn("--log.level=debug", values["ImagePath"])
        self.assertEqual(values["ObjectName"], r"NT SERVICE\echo_exporter")
        self.assertEqual((values["Start"], values["Type"]), ("0x2", "0x10"))
        self.assertEqual(int(values["PreshutdownTimeout"], 16), 75000)
        self.assertIn("round-trip", values["Description"])
        source = windows.event_source_values()
        self.assertEqual(source["EventMessageFile"], windows.EVENT_MESSAGE_FILE)
        types = windows.registry_types(windows.EVENT_SOURCE)
        self.assertEqual(types["EventMessageFile"], "REG_EXPAND_SZ")
        self.assertEqual(source["TypesSupported"], "0x7")
        self.assertIn("1073", self.service("install", code=1))  # it exists

        self.assertTrue(windows.path(windows.FOLDER + r"\logs").is_dir())

        self.service("uninstall")
        self.assertEqual((windows.service_values(), windows.event_source_values()), ({}, {}))
        self.assertFalse(windows.path(windows.FOLDER).exists())
        for action in ("status", "start", "stop", "reload", "uninstall"):
            self.assertIn("(1060)", self.service(action, code=1))

    def test_it_starts_serves_and_stops_well(self):
        self.install()
        self.assertIn("stopped", self.service("status", code=1))
        self.service("start")
        # RUNNING means ready.
        self.assertEqual(windows.get(self.port, "/-/ready")[0], 200)
        self.assertIn("running", self.service("status"))
        self.assertIn("(1056)", self.service("start", code=1))  # it runs
        wait_for("a reply", lambda: 'outcome="reply"' in windows.get(self.port, "/metrics")[1])

        self.service("stop")
        self.assertFalse(windows.is_served(self.port))
        self.assertIn("msg=stopped in_flight=0", self.log())
        self.assertIn("exit code 0", self.service("status", code=1))
        self.service("stop")  # which it has: what was asked for is the case

    def test_a_service_control_reloads_the_configuration(self):
        self.install()
        self.service("start")
        self.wait_for_metric("echo_exporter_pairs 1")
        self.write_config('"127.0.0.1", "127.0.0.2"')
        self.service("reload")
        self.wait_for_metric("echo_exporter_pairs 2")

        self.write_config('"not an address!"')
        self.service("reload")
        self.wait_for_metric("echo_exporter_config_last_reload_successful 0")
        self.assertIn("running", self.service("status"))
        self.assertEqual(windows.get(self.port, "/-/ready")[0], 200)

    def test_a_failed_start_has_the_exit_code_and_its_reason_in_the_log(self):
        self.write_config('"not an address!"')
        self.install()
        self.assertIn("exit code 2", self.service("start", code=1))
        self.assertIn("exit code 2", self.service("status", code=1))
        self.assertRegex(self.log(), r"level=error .*config\.toml:\d+:\d+: ")

        with socket.socket() as listener:
            listener.bind(("127.0.0.1", self.port))
            listener.listen()
            self.write_config('"127.0.0.1"')
            self.assertIn("exit code 1", self.service("start", code=1))
        self.assertIn(f"127.0.0.1:{self.port}", self.log())

    def assert_refused(self, *texts):
        """The service does not start, and its log says all of the texts, in one line."""
        self.assertIn("exit code 2", self.service("start", code=1))
        line = self.log().splitlines()[-1]
        for text in ("level=error", "icacls", *texts):
            self.assertIn(text, line)

    def test_it_does_not_start_while_others_can_change_what_it_reads(self):
        web = windows.path(self.FOLDER + r"\web.yml")
        web.write_text("rate_limit: {interval: 1s, burst: 5}\n")
        self.install(rf"--web.config.file={self.FOLDER}\web.yml")
        for file, mode in ((self.config_file, 0o666), (web, 0o666), (web.parent, 0o777)):
            kept = file.stat().st_mode
            file.chmod(mode)
            self.assert_refused(f"{file.name}: ", "S-1-1-0")
            file.chmod(kept)
        self.service("start")
        self.assertIn("running", self.service("status"))

    def test_an_invalid_configuration_is_no_failure_that_windows_recovers_from(self):
        self.write_config('"not an address!"')
        self.install()
        self.service("start", code=1)
        _, output = windows.run("sc", "query", "echo_exporter")
        self.assertRegex(output, r"WIN32_EXIT_CODE +: 0\b")

    def test_log_files_rotate(self):
        self.install("--log.file.max-size=1KiB", "--log.file.keep=2")
        folder = windows.path(self.LOG).parent

        def rotated_twice():
            self.service("start")
            self.service("stop")
            return (folder / "echo.2.log").exists()

        wait_for("the third log file", rotated_twice)
        self.service("start")
        for file in folder.iterdir():
            self.assertLessEqual(file.stat().st_size, 1024, file)
            for line in file.read_text().splitlines():
                self.assertTrue(re.match(r"time=\S+ level=", line), line)
        names = sorted(file.name for file in folder.iterdir())
        self.assertEqual(names, ["echo.1.log", "echo.2.log", "echo.log"])

    def tearDown(self):
        windows.run(windows.PROGRAM, "service", "stop")
        for file in windows.path(self.LOG).parent.glob("*"):
            file.unlink()


class ConsoleTest(unittest.TestCase):
    def test_without_a_service_manager_it_is_an_ordinary_program(self):
        code, output = windows.run(windows.PROGRAM, "--colour")
        self.assertEqual(code, 2)
        self.assertIn("--colour", output)
        code, output = windows.run(windows.PROGRAM, r"--config.file=C:\none.toml")
        self.assertEqual(code, 2)
        self.assertIn(r"error: C:\none.toml", output)
