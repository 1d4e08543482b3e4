"""The unit, the manual and the completion of the package."""

import re
import unittest

import linux_machine as machine

MANUAL = "/usr/share/man/man8/echo_exporter.8.gz"
COMPLETION = "/usr/share/bash-completion/completions/echo_exporter"
MOST_EXPOSURE = 2.0
# Of Windows only.
WITHOUT_MANUAL = {"service"}


def setUpModule():
    machine.install(machine.OLD)


def tearDownModule():
    machine.purge()


def words_of_help(*command):
    """The options and commands that --help lists."""
    text = machine.run("/usr/bin/echo_exporter", *command, "--help")[1]
    terms = re.findall(r"^  (-\w, --[\w.-]+|-\w\b|--[\w.-]+|[a-z]+\b)", text, re.MULTILINE)
    return {word for term in terms for word in term.split(", ")}


def complete(*words):
    """What bash proposes for the last of the words."""
    line = " ".join(words)
    script = f"""
      source /usr/share/bash-completion/bash_completion
      source {COMPLETION}
      COMP_WORDS=({" ".join(f"'{word}'" for word in words)})
      COMP_CWORD={len(words) - 1} COMP_LINE='{line}' COMP_POINT={len(line)}
      compopt() {{ :; }}
      _echo_exporter
      printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return set(machine.run("bash", "-euc", script)[1].split())


class UnitTest(unittest.TestCase):
    def test_is_what_systemd_understands(self):
        code, output = machine.run("systemd-analyze", "verify", machine.UNIT, check=False)
        self.assertEqual((code, output), (0, ""))

    def test_is_exposed_little(self):
        output = machine.run(
            "systemd-analyze", "security", "--offline=true", "--no-pager", machine.UNIT
        )[1]
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", output)[1])
        self.assertLessEqual(exposure, MOST_EXPOSURE, output)

    def test_stops_more_slowly_than_the_configuration_may_ask_for(self):
        self.assertGreater(int(machine.unit_settings("TimeoutStopSec")[0]), 60 + 3)

    def test_gives_the_daemon_what_it_may_drop_and_nothing_else(self):
        self.assertEqual(machine.unit_settings("CapabilityBoundingSet"), ["CAP_NET_RAW"])
        self.assertEqual(machine.unit_settings("AmbientCapabilities"), ["CAP_NET_RAW"])

    def test_is_enabled_at_once(self):
        link = machine.pathlib.Path(
            "/etc/systemd/system/multi-user.target.wants/echo_exporter.service"
        )
        self.assertEqual(link.readlink(), machine.UNIT)

    def test_checks_the_configuration_before_a_reload(self):
        check, reload = machine.unit_settings("ExecReload")
        self.assertEqual(machine.run(*check.split())[0], 0)
        self.assertEqual(reload, "/bin/kill -HUP $MAINPID")


class ManualTest(unittest.TestCase):
    def test_renders_without_warnings(self):
        output = machine.run("man", "--warnings", "-Tutf8", "-Z", "-l", MANUAL)[1]
        self.assertNotIn("warning", output)
        self.assertNotIn("error:", output)

    def test_describes_every_option_and_command(self):
        text = machine.run("sh", "-c", f"man -P cat -l {MANUAL} | col -b")[1].replace("‐", "-")
        words = words_of_help() | words_of_help("ping")
        self.assertLess(25, len(words))
        self.assertLessEqual({"-c", "--count", "-4"}, words)
        described = set(re.findall(r"(?<![\w-])(?:--?)?[\w.-]*\w", text))
        self.assertEqual(words - WITHOUT_MANUAL - described, set())

    def test_describes_every_file_of_the_administrator(self):
        text = machine.run("man", "-P", "cat", "-l", MANUAL)[1]
        for path in (machine.CONFIG, machine.DEFAULTS):
            self.assertIn(str(path), text)


class CompletionTest(unittest.TestCase):
    def test_completes_every_option_and_command(self):
        self.assertEqual(complete("echo_exporter", ""), words_of_help() - {"-h"})
        self.assertEqual(complete("echo_exporter", "ping", "-"), words_of_help("ping") - {"-h"})
        self.assertEqual(
            complete("echo_exporter", "service", "") - {"--help"},
            words_of_help("service") - {"-h", "--help"},
        )

    def test_completes_the_beginning_of_an_option(self):
        self.assertEqual(complete("echo_exporter", "--log.l"), {"--log.level"})

    def test_completes_values_in_both_spellings(self):
        levels = {"debug", "info", "warn", "error"}
        self.assertEqual(complete("echo_exporter", "--log.level", ""), levels)
        self.assertEqual(complete("echo_exporter", "--log.level", "="), levels)
        self.assertEqual(complete("echo_exporter", "--log.format", "=", "js"), {"json"})

    def test_completes_files(self):
        files = complete("echo_exporter", "--config.file", "=", "/etc/echo_exp")
        self.assertEqual(files, {"/etc/echo_exporter"})

    def test_is_loaded_by_name(self):
        script = "source /usr/share/bash-completion/bash_completion; "
        script += "_completion_loader echo_exporter; complete -p echo_exporter"
        output = machine.run("bash", "-c", script)[1]
        self.assertIn("_echo_exporter", output)
