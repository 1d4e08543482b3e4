"""Chromium, driven by its WebDriver over HTTP: as much of the protocol as the tests need."""

import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

PATIENCE = 300  # seconds, for anything to happen
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how the protocol names an element
_OPTIONS = [
    # In the namespaces of the tests there is nobody else to protect from the pages under test.
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    # Nothing of its own: what is requested, a page requested.
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-default-apps", "--disable-extensions", "--no-proxy-server"),
    *("--disable-features=OptimizationHints,MediaRouter,Translate", "--hide-scrollbars"),
]

TOOLS = ("chromium", "chromedriver")
KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Down": "\ue015", "Right": "\ue014", "Escape": "\ue00c"}


class WebDriverError(Exception):
    pass


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(what, condition):
    """Returns the first true value of condition(); an AssertionError when patience is over."""
    deadline = time.monotonic() + PATIENCE
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)


class Browser:
    """One Chromium with one window, inside of a `with` block; its files are gone afterwards."""

    def __init__(self, width=1280, height=900):
        self._size = (width, height)
        self._folder = None
        self._driver = None
        self._url = None
        self._session = ""

    def __enter__(self):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="echo_browser."))
        port = _free_port()
        log = open(self._folder / "chromedriver.log", "wb")
        with log:
            self._driver = subprocess.Popen(
                ["chromedriver", f"--port={port}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # Wherever the browser keeps files beside its profile.
                env={**os.environ, "HOME": str(self._folder), "TMPDIR": str(self._folder)},
            )
        self._url = f"http://127.0.0.1:{port}"
        try:
            wait_for("chromedriver is ready", self._is_ready)
            self._open_session()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _is_ready(self):
        if self._driver.poll() is not None:
            raise WebDriverError((self._folder / "chromedriver.log").read_text(errors="replace"))
        try:
            return self._call("GET", "/status")["ready"]
        except OSError:
            return False

    def _open_session(self):
        width, height = self._size
        arguments = [*_OPTIONS, f"--window-size={width},{height}"]
        arguments += [f"--user-data-dir={self._folder / 'profile'}", "about:blank"]
        capabilities = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": shutil.which("chromium"), "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "timeouts": {"script": PATIENCE * 1000, "pageLoad": PATIENCE * 1000},
        }
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self._session = "/session/" + answer["sessionId"]

    def close(self):
        if self._session:
            try:
                self._call("DELETE", self._session)
            except (OSError, WebDriverError):
                pass  # it has ended by itself
            self._session = ""
        if self._driver:
            self._driver.terminate()
            self._driver.wait(PATIENCE)
            self._driver = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _call(self, method, path, parameters=None):
        data = None if method in ("GET", "DELETE") else json.dumps(parameters or {}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE + 30) as response:
                return json.loads(response.read())["value"]
        except urllib.error.HTTPError as error:
            value = json.loads(error.read())["value"]
            raise WebDriverError(f"{value['error']}: {value['message']}") from None

    def command(self, method, path, parameters=None):
        return self._call(method, self._session + path, parameters)

    def devtools(self, command, **parameters):
        """A command of the DevTools protocol."""
        return self.command("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, url):
        self.command("POST", "/url", {"url": url})

    def back(self):
        self.command("POST", "/back")

    @property
    def address(self):
        return self.command("GET", "/url")

    def run(self, script, *arguments):
        """What the function body returns; a promise is awaited."""
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def find_all(self, selector):
        value = {"using": "css selector", "value": selector}
        return [element[_ELEMENT] for element in self.command("POST", "/elements", value)]

    def find(self, selector):
        """The first element that there is, as soon as there is one."""
        return wait_for(f"an element {selector}", lambda: self.find_all(selector))[0]

    def click(self, selector):
        self.command("POST", f"/element/{self.find(selector)}/click")

    def type(self, selector, text):
        self.command("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def press(self, key):
        """A key for the element that has the focus."""
        actions = [{"type": kind, "value": KEYS[key]} for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self.command("POST", "/actions", {"actions": [source]})

    def texts(self, selector):
        """The texts of all elements, as a reader sees them."""
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText);"
        return self.run(script, selector)

    def wait_until(self, what, script, *arguments):
        """The first true value of the function body."""
        return wait_for(what, lambda: self.run(script, *arguments))

    def screenshot(self):
        return base64.b64decode(self.command("GET", "/screenshot"))

    def emulate(self, width, height, scheme="light", mobile=False):
        """A window of that size, on a screen with that colour scheme."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.devtools("Emulation.setEmulatedMedia", features=features)

    def set_scripts(self, enabled):
        self.devtools("Emulation.setScriptExecutionDisabled", value=not enabled)

    def console(self):
        """What the pages have caused in the console since the last call, violations among it."""
        return [entry["message"] for entry in self.command("POST", "/se/log", {"type": "browser"})]

    def requested(self):
        """The URLs requested since the last call."""
        urls = []
        for entry in self.command("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        return urls
