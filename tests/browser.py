"""A real Chromium without a window, told what to do through a pipe (the DevTools protocol); no package is needed.

``with Chromium() as browser: page = browser.page("<html>…")``, then ``page.evaluate("document.title")``.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

COMMAND = next((name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), "")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)  # fmt: skip


class Chromium:
    """One browser process. Files of its own lie in a folder that is gone afterwards."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        hears, self._says = os.pipe()
        self._hears, says = os.pipe()
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{hears} 4>&{says}', "chromium", COMMAND, *_FLAGS,
             f"--user-data-dir={self._folder.name}"],
            pass_fds=(hears, says), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(hears)
        os.close(says)
        self._number, self._rest = 0, b""
        self.events: list[dict[str, Any]] = []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._says)  # Chromium ends when nobody talks to it any more
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._hears)
        self._folder.cleanup()

    def send(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Run one command and wait for its answer; what happens meanwhile is kept in ``events``."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        text = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        while text:
            text = text[os.write(self._says, text) :]
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            some = os.read(self._hears, 1 << 20)
            if not some:
                raise RuntimeError("Chromium is gone")
            self._rest += some
        message, _, self._rest = self._rest.partition(b"\0")
        read: dict[str, Any] = json.loads(message)
        return read

    def page(self, html: str) -> Page:
        """The page in a tab of its own, loaded from a file as a reader opens it."""
        return Page(self, html)


class Page:
    """A tab with one page in it."""

    def __init__(self, browser: Chromium, html: str) -> None:
        self._browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.send(f"{domain}.enable")
        self._file = Path(browser._folder.name) / "page.html"
        self._file.write_text(html, encoding="utf-8")
        self._start = len(browser.events)
        self.send("Page.navigate", url=self._file.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events()):
            browser.events.append(browser._next())

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command for this tab."""
        return self._browser.send(method, self._session, **parameters)

    def _events(self) -> list[dict[str, Any]]:
        return [e for e in self._browser.events[self._start :] if e.get("sessionId") == self._session]

    def evaluate(self, script: str) -> Any:
        """The value of an expression of JavaScript in the page (the page itself may have no script at all)."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def look(self, width: int, *, dark: bool = False, medium: str = "screen", height: int = 900) -> None:
        """Show the page in a window so wide, in light or dark, on a screen or on paper."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", media=medium, features=features)

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            shown = {"text": text} if text and kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **shown)

    def complaints(self) -> list[str]:
        """What the browser wrote to its console."""
        said = []
        for event in self._events():
            parameters: Mapping[str, Any] = event["params"]
            if event["method"] == "Log.entryAdded":
                said.append(parameters["entry"]["text"])
            elif event["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                said.append(json.dumps(parameters))
        return said

    def requests(self) -> list[str]:
        """What was asked for beside the page itself."""
        asked = [e["params"]["request"]["url"] for e in self._events() if e["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if url != self._file.as_uri()]

    def picture(self, *, whole: bool = True) -> bytes:
        """A PNG of the page as it is looked at."""
        return base64.b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"])
