"""Configuration files that are pipes, too large or half written while the exporter runs, and who must
not get in meanwhile."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import unittest

import certificates
import exporter
import network
import processes
import scrape

CONFIG = exporter.group("g", destinations=["10.213.1.1"])
SUCCESS = "echo_exporter_config_last_reload_successful"
WEB_SUCCESS = "echo_exporter_web_config_last_reload_successful"
PASSWORD = "correct horse battery staple"


def setUpModule():
    global password_hash
    unittest.enterModuleContext(network.ScriptedNetwork())
    password_hash = certificates.bcrypt(PASSWORD)


def replace(path, make):
    """Puts what make(path) makes in the place of a file."""
    fresh = path.with_suffix(".fresh")
    fresh.unlink(missing_ok=True)
    make(fresh)
    fresh.replace(path)


def sparse(path):
    with open(path, "wb") as file:
        file.truncate(20 * 2**30)


def status(*options, path="/metrics"):
    """The HTTP status that curl gets; 0 without an answer."""
    command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
    command += ["--max-time", str(processes.PATIENCE), *options]
    command.append(f"http://{exporter.ADDRESS}{path}")
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(ended.stdout)


class Watched(exporter.Exporter):
    """With passwords, if it has a web configuration."""

    right = ("--user", f"prometheus:{PASSWORD}")

    def __init__(self, *arguments, web=None, **options):
        if web is not None:
            self.web = processes.work_file("web.yml")
            self.web.write_text(web)
            arguments += (f"--web.config.file={self.web}",)
        super().__init__(CONFIG, *arguments, **options)

    def is_ready(self):
        return status(*self.right, path="/-/ready") == 200

    def get(self, path, headers=None):
        command = ["curl", "--silent", "--fail", *self.right, f"http://{self.address}{path}"]
        return 200, subprocess.run(command, capture_output=True, text=True, check=True).stdout


def users(more=""):
    return f"{more}basic_auth_users:\n  prometheus: {password_hash}\n"


@unittest.skipIf(exporter.PLATFORM == "wine", "Windows has no pipes in folders and no SIGHUP")
class PipeTest(unittest.TestCase):
    def test_the_first_reading_may_be_of_a_pipe(self):
        pipe = processes.work_file("pipe.toml")
        os.mkfifo(pipe)
        text = f'[web]\nlisten_addresses = ["{exporter.ADDRESS}"]\n{CONFIG}'
        writer = threading.Thread(target=pipe.write_text, args=(text,))
        writer.start()
        daemon = Watched()
        daemon.command[daemon.command.index(f"--config.file={daemon.config_file}")] = (
            f"--config.file={pipe}"
        )
        with daemon:
            writer.join()
            daemon.send(signal.SIGHUP)
            daemon.wait_until("the reload failed", lambda seen: seen.value(SUCCESS) == 0)
        self.assertIn("it is not a regular file", daemon.log_text())

    def test_reloads_go_on_behind_what_is_no_file(self):
        for make in (os.mkfifo, sparse, os.mkdir):
            with self.subTest(make=make.__name__), Watched() as daemon:
                original = daemon.config_file.read_text()
                daemon.config_file.unlink()
                make(daemon.config_file)
                daemon.send(signal.SIGHUP)
                daemon.wait_until("it failed", lambda seen: seen.value(SUCCESS) == 0)
                if make is os.mkdir:
                    daemon.config_file.rmdir()
                replace(daemon.config_file, lambda path: path.write_text(original))
                daemon.send(signal.SIGHUP)
                daemon.wait_until("it worked", lambda seen: seen.value(SUCCESS) == 1)
                daemon.config_file.unlink()
                make(daemon.config_file)
                daemon.send(signal.SIGHUP)

    def test_http_goes_on_behind_what_is_no_web_configuration(self):
        for make in (os.mkfifo, sparse):
            with self.subTest(make=make.__name__), Watched(web=users()) as daemon:
                replace(daemon.web, make)
                daemon.wait_until("it is rejected", lambda seen: seen.value(WEB_SUCCESS) == 0)
                self.assertEqual(status(*daemon.right), 200)
                self.assertEqual(status(), 401)
                replace(daemon.web, lambda path: path.write_text(users("# again\n")))
                daemon.wait_until("it is taken", lambda seen: seen.value(WEB_SUCCESS) == 1)

    def test_ends_although_nobody_reads_its_log(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, bytes(65536))
        os.set_blocking(writer, True)
        with UnreadExporter(writer) as daemon:
            self.assertEqual(daemon.get("/-/ready")[0], 200)
        os.close(reader)
        os.close(writer)


class UnreadExporter(Watched):
    def __init__(self, output):
        super().__init__()
        self.output = output

    def open_output(self):
        return os.fdopen(os.dup(self.output), "wb")


class HalfWrittenTest(unittest.TestCase):
    def test_nobody_gets_in_while_the_web_configuration_is_copied(self):
        text = users("# comment\n" * 1000)
        with Watched(web=text) as daemon:
            source = processes.work_file("web.yml")
            source.write_text(text)
            stop = threading.Event()

            def copy():
                while not stop.is_set():
                    shutil.copyfile(source, daemon.web)
                    daemon.web.write_text("")

            copier = threading.Thread(target=copy)
            copier.start()
            try:
                seen = {status() for _ in range(200)}
            finally:
                stop.set()
                copier.join()
            self.assertEqual(seen, {401})
            daemon.web.write_text("")
            daemon.wait_until("it is rejected", lambda seen: seen.value(WEB_SUCCESS) == 0)
            self.assertEqual(status(), 401)
            daemon.wait_for_log("lacks basic_auth_users")
            # Whoever may reload may take it away.
            self.assertEqual(status(*daemon.right, "--request", "POST", path="/-/reload"), 200)
            self.assertEqual(status(), 200)

    def test_an_emptied_configuration_is_not_taken_by_itself(self):
        options = ("--config.enable-auto-reload", "--config.auto-reload-interval=1s")
        with Watched(*options) as daemon:
            original = daemon.config_file.read_text()
            daemon.config_file.write_text("")
            daemon.wait_until("it is rejected", lambda seen: seen.value(SUCCESS) == 0)
            self.assertEqual(daemon.scrape().value("echo_exporter_pairs"), 1)
            more = exporter.group("h", destinations=["10.213.1.2"])
            daemon.config_file.write_text(original + more)
            daemon.wait_until("it is taken", lambda seen: seen.value("echo_exporter_pairs") == 2)


class IncludeTest(unittest.TestCase):
    OPTIONS = ("--config.enable-auto-reload", "--config.auto-reload-interval=1s")

    def test_a_group_comes_and_goes_with_its_file(self):
        folder = processes.work_file("conf.d")
        folder.mkdir()
        daemon = Watched(*self.OPTIONS)
        daemon.config_file.write_text(
            f'include = ["{folder.name}/*.toml"]\n{daemon.config_file.read_text()}'
        )
        more = exporter.group("h", destinations=["10.213.1.2"])
        with daemon:
            daemon.wait_until("it probes", lambda seen: seen.finished(group="g"))
            file = folder / "h.toml"
            file.write_text(more.splitlines()[0])
            before = daemon.wait_until("half of it fails", lambda seen: seen.value(SUCCESS) == 0)
            self.assertEqual(before.value("echo_exporter_pairs"), 1)
            file.write_text(more)
            daemon.wait_until("it is probed", lambda seen: seen.finished(group="h"))
            file.unlink()
            after = daemon.wait_until(
                "it is gone", lambda seen: seen.value("echo_exporter_pairs") == 1
            )
            # The other pair has lost nothing by that.
            self.assertGreater(after.finished(group="g"), before.finished(group="g"))
            self.assertEqual(after.outcomes_of_sent(group="g"), {"reply"})
            self.assertEqual(scrape.accounting_errors(after), [])
        self.assertIn(f"{folder.name}/h.toml:1:1: ", daemon.log_text().replace("\\", "/"))

    def test_targets_need_no_file(self):
        hosts = processes.work_file("hosts.txt")
        hosts.write_text("10.213.1.2  # another\n")
        daemon = Watched(*self.OPTIONS)
        daemon.config_file.unlink()
        daemon.command[daemon.command.index(f"--config.file={daemon.config_file}")] = (
            "--target=10.213.1.1"
        )
        daemon.command += [f"--target=@{hosts}", f"--web.listen-address={daemon.address}"]
        with daemon:
            for destination in ("10.213.1.1", "10.213.1.2"):
                daemon.wait_until(
                    f"{destination} is probed",
                    lambda seen, name=destination: seen.finished(destination=name),
                )
            hosts.write_text("")
            daemon.wait_until(
                "the list is read again", lambda seen: seen.value("echo_exporter_pairs") == 1
            )


class GuessesTest(unittest.TestCase):
    GUESSERS = 40

    def test_wrong_passwords_do_not_lock_out_the_right_one(self):
        # So costly that the queue is never empty.
        web = users().replace(password_hash, certificates.bcrypt(PASSWORD, cost=10))
        with Watched(web=web) as daemon:
            self.assertEqual(status(*daemon.right), 200)
            stop = threading.Event()
            seen = []

            def guess(number):
                while not stop.is_set():
                    seen.append(status("--user", f"prometheus:{number}{len(seen)}"))

            guessers = [threading.Thread(target=guess, args=(i,)) for i in range(self.GUESSERS)]
            for guesser in guessers:
                guesser.start()
            try:
                processes.wait_for("guesses", lambda: len(seen) > 5)
                for number in range(3):
                    self.assertEqual(status(*daemon.right), 200)
                    daemon.web.write_text(f"# {number}\n{web}")
                    reload = ("--request", "POST")
                    self.assertEqual(status(*daemon.right, *reload, path="/-/reload"), 200)
                    for _ in range(5):
                        self.assertEqual(status(*daemon.right), 200)
            finally:
                stop.set()
                for guesser in guessers:
                    guesser.join()
            self.assertNotIn(200, seen)
