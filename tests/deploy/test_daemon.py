"""The installed program under the unit's command: rights, and what it tells systemd."""

import ctypes
import os
import pathlib
import time
import unittest

import linux_machine as machine

NONE = "0" * 16
NET_RAW = "0" * 12 + "2000"
CONFIG = """
[web]
listen_addresses = [":10115"]
[[group]]
name = "g"
sources = ["auto", "127.0.0.1", "::1"]
destinations = ["127.0.0.1", "::1"{more}]
interval = "20ms"
"""
SYSCALL_FUTEX = "202"


def setUpModule():
    machine.install(machine.OLD)
    configure()


def tearDownModule():
    machine.purge()


def configure(more=""):
    machine.CONFIG.write_text(CONFIG.format(more=more))


def wait_for_replies(labels, count=3):
    begin = machine.metric("icmp_echo_outcomes_total", labels)
    machine.wait_for(
        f"{count} replies of {labels}",
        lambda: machine.metric("icmp_echo_outcomes_total", labels) >= begin + count,
    )


class Held:
    """One thread of a process stands still inside of a `with` block."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
    _ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    _ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def __init__(self, thread):
        self.thread = thread

    def call(self, request):
        if self._ptrace(request, self.thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")

    def __enter__(self):
        self.call(self.SEIZE)
        self.call(self.INTERRUPT)
        os.waitpid(self.thread, 0x40000000)  # __WALL
        return self

    def __exit__(self, *_):
        self.call(self.DETACH)


class RightsTest(unittest.TestCase):
    def check_capabilities(self, service, expected):
        for name in ("CapEff", "CapPrm"):
            self.assertEqual(service.status(name), {expected}, name)
        for name in ("CapInh", "CapAmb"):
            self.assertEqual(service.status(name), {NONE}, name)
        self.assertEqual(service.status("NoNewPrivs"), {"1"})

    def check_probing(self, mechanism):
        for destination, source in (("127.0.0.1", "auto"), ("127.0.0.1", "127.0.0.1"),
                                    ("::1", "auto"), ("::1", "::1")):  # fmt: skip
            wait_for_replies(f'source="{source}",destination="{destination}",outcome="reply"')
        self.assertIn(f'"{mechanism}"', machine.get("/metrics")[1])

    def test_raw_sockets_keep_cap_net_raw_only(self):
        with machine.Service(raw=True) as service:
            self.check_probing("raw_socket")
            self.check_capabilities(service, NET_RAW)
            self.assertEqual(service.status("Uid"), {"\t".join([str(machine.USER)] * 4)})

    def test_datagram_sockets_need_nothing(self):
        with machine.Service(raw=False) as service:
            self.check_probing("datagram_socket")
            self.check_capabilities(service, NONE)

    def test_root_keeps_nothing_but_cap_net_raw(self):
        with machine.Service(raw=True, uid=0) as service:
            self.check_probing("raw_socket")
            self.check_capabilities(service, NET_RAW)
            self.assertEqual(service.status("CapBnd"), {NONE})

    def test_root_keeps_nothing_where_datagram_sockets_serve(self):
        with machine.Service(raw=False, uid=0) as service:
            self.check_probing("datagram_socket")
            self.check_capabilities(service, NONE)

    def test_reloads_with_the_rights_that_are_left(self):
        self.addCleanup(configure)
        configure()
        for uid in (machine.USER, 0):
            with self.subTest(uid=uid), machine.Service(raw=True, uid=uid) as service:
                configure(', "127.0.0.2"')
                service.process.send_signal(machine.signal.SIGHUP)
                service.wait_for_message("RELOADING=1")
                wait_for_replies('source="::1",destination="::1",outcome="reply"')
                wait_for_replies('destination="127.0.0.2",outcome="reply"')
            configure()

    def test_says_what_is_missing_without_any_right(self):
        machine.allow_datagram_sockets(False)
        code, output = machine.run(
            *("setpriv", f"--reuid={machine.USER}", f"--regid={machine.USER}", "--clear-groups"),
            *("--bounding-set=-all", "--inh-caps=-all", *machine.unit_command()),
            check=False,
        )
        self.assertEqual(code, 1)
        self.assertIn("net.ipv4.ping_group_range", output)
        self.assertIn("CAP_NET_RAW", output)


class NotifyTest(unittest.TestCase):
    def test_tells_what_it_does(self):
        with machine.Service() as service:
            self.assertEqual(machine.get("/-/ready")[0], 200)
            begin = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
            service.process.send_signal(machine.signal.SIGHUP)
            message = service.wait_for_message("RELOADING=1")
            now = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
            self.assertGreaterEqual(int(message["MONOTONIC_USEC"]), begin - 1)
            self.assertLessEqual(int(message["MONOTONIC_USEC"]), now)
            machine.wait_for(
                "the end of the reload",
                lambda: sum("READY" in one for one in service.receive()) == 2,
            )
        told = [name for one in service.messages for name in one if name.isupper()]
        told = [name for name in told if name in ("READY", "RELOADING", "STOPPING", "WATCHDOG")]
        self.assertEqual(told, ["READY", "RELOADING", "READY", "STOPPING"])
        self.assertTrue(all("STATUS" in one for one in service.messages))

    def test_a_reload_that_fails_ends_as_well(self):
        self.addCleanup(configure)
        with machine.Service() as service:
            machine.CONFIG.write_text("nonsense")
            service.process.send_signal(machine.signal.SIGHUP)
            service.wait_for_message("RELOADING=1")
            machine.wait_for(
                "the end of the reload",
                lambda: sum("READY" in one for one in service.receive()) == 2,
            )
            wait_for_replies('outcome="reply"')

    def test_watchdog_hears_only_from_a_dispatcher_that_goes_on(self):
        with machine.Service(watchdog=0.4) as service:
            service.wait_for_message("WATCHDOG=1")
            service.wait_for_message("WATCHDOG=1")
            with Held(self.dispatcher(service)):
                held_up = machine.wait_for(
                    "word of the delay",
                    lambda: [one for one in service.receive() if "blocked" in one.get("STATUS", "")],
                )
                begin = service.messages.index(held_up[0])
                machine.wait_for("more of it", lambda: len(service.receive()) > begin + 4)
                self.assertFalse([one for one in service.messages[begin:] if "WATCHDOG" in one])
                self.assertEqual(machine.get("/-/healthy")[0], 200)  # all the rest lives
            service.wait_for_message("WATCHDOG=1")

    def dispatcher(self, service):
        """The thread that waits for a condition and wakes most often."""

        def wake_ups(thread):
            text = service.proc(f"task/{thread}/status").read_text()
            return int(machine.re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, 8)[1])

        def waits(thread):
            return service.proc(f"task/{thread}/syscall").read_text().split()[0] == SYSCALL_FUTEX

        def look():
            often = {one: wake_ups(one) for one in service.threads() if waits(one)}
            return [one for one in often if often[one] > 20 and often[one] == max(often.values())]

        return machine.wait_for("the dispatcher sleeps", look)[0]


class LogTest(unittest.TestCase):
    def test_a_pair_that_goes_down_and_up_is_logged_twice(self):
        self.addCleanup(configure)
        log = machine.WORK / "service.log"
        with machine.Service():
            wait_for_replies('destination="::1",outcome="reply"')
            begin = log.stat().st_size
            disable = pathlib.Path("/proc/sys/net/ipv6/conf/lo/disable_ipv6")
            disable.write_text("1")
            self.addCleanup(disable.write_text, "0")
            down = 'msg="pair is down" group=g source=auto destination=::1'
            machine.wait_for("down", lambda: down in log.read_text()[begin:])
            disable.write_text("0")
            up = 'msg="pair is up again" group=g source=auto destination=::1 '
            machine.wait_for("up", lambda: up in log.read_text()[begin:])
        lines = log.read_text()[begin:].splitlines()
        self.assertEqual(len([line for line in lines if down in line]), 1)
