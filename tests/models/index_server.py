"""A package index on loopback (PEP 503) that serves made-up wheels, and fails as networks do."""

import hashlib
import io
import re
import threading
import time
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from audiocli.models.spec import Carrier, ModelSpec, Packed, Wheel


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def wheel(distribution, members, version="1.0"):
    """The bytes of a wheel. members: bytes by path."""
    package = distribution.replace("-", "_")
    info = f"{package}-{version}.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\nRequires-Python: <3\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        # Whoever imports it is found out.
        f"{package}/__init__.py": b"raise SystemExit('the package was imported')\n",
        **members,
        f"{info}/RECORD": b"",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return stream.getvalue()


def carrier(packager, wheels, files):
    """The row of a carrier. wheels: their bytes by distribution; files: name -> [(distribution, member, bytes), ...]."""
    return Carrier(
        packager,
        tuple(Wheel(name, "1.0", len(data), sha256(data)) for name, data in wheels.items()),
        tuple(
            Packed(
                name, sum(len(data) for *_, data in parts), sha256(b"".join(data for *_, data in parts)),
                tuple((distribution, member) for distribution, member, _ in parts),
            )
            for name, parts in files.items()
        ),
    )  # fmt: skip


def spec(name, *carriers, adapter="fake_adapter:load"):
    return ModelSpec(
        name, "transcribe", adapter, "package index", "MIT", 16_000, 0.1, author="Somebody", carriers=carriers
    )


class Index:
    """Wheels by distribution, the faults to simulate, and the paths that were asked for."""

    def __init__(self):
        self.wheels = {}
        self.forged = {}  # distribution -> what is sent in place of its wheel
        self.cuts = {}  # distribution -> how many bytes each of the next answers sends before the line is cut
        self.pause = 0.0  # s, in the middle of each wheel
        self.status = None  # of every answer
        self.log = []
        self.url = ""

    def asked(self, distribution):
        """How often the wheel of a distribution was asked for."""
        return self.log.count(f"/files/{distribution.replace('-', '_')}-1.0-py3-none-any.whl")

    @contextmanager
    def serving(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"index": self}))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    index: Index

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.index.log.append(self.path)
        page, file = re.fullmatch(r"/simple/([\w-]+)/", self.path), re.fullmatch(r"/files/(\w+)-1\.0-.*", self.path)
        name = page[1] if page else file[1].replace("_", "-") if file else ""
        if self.index.status or name not in self.index.wheels:
            self.answer(b"", self.index.status or 404)
        elif page:
            link = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
            self.answer(f"<!DOCTYPE html><html><body><a href='/files/{link}'>{link}</a></body></html>".encode(), 200)
        else:
            self.send(name)

    def answer(self, body, status):
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send(self, name):
        data = self.index.forged.get(name, self.index.wheels[name])
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if cuts := self.index.cuts.get(name):
            self.wfile.write(data[: cuts.pop(0)])
            self.close_connection = True
            return
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        time.sleep(self.index.pause)
        self.wfile.write(data[len(data) // 2 :])
