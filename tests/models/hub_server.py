"""A hub on loopback: answers as huggingface.co does, and fails as networks do."""

import hashlib
import json
import random
import re
import socket
import struct
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BIG = (".safetensors", ".bin", ".msgpack")  # files that the hub keeps outside git


def safetensors(count=70_000, seed=0):
    """A well-formed file of `count` float32 numbers."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}).encode()
    return struct.pack("<Q", len(header)) + header + random.Random(seed).randbytes(4 * count)


def tiny(model_type="wav2vec2", **config):
    """The files of a repository, and others that are common in such ones."""
    config = {"model_type": model_type, "architectures": ["Wav2Vec2ForCTC"], **config}
    return {
        "config.json": json.dumps(config).encode(),
        "preprocessor_config.json": b'{"sampling_rate": 16000}',
        "vocab.json": b'{"a": 0}',
        "model.safetensors": safetensors(),
        "pytorch_model.bin": b"the same weights as a pickle",
        "flax_model.msgpack": b"and once more",
        "adapter.deu.safetensors": b"for one language of a thousand",
        "README.md": b"# a card",
    }


class Hub:
    """Repositories by id, the faults to simulate, and the requests so far."""

    def __init__(self):
        self.repos = {}
        self.cuts = {}  # file name -> how many bytes each of the next answers sends before the line is cut
        self.reset = False  # whether a cut is a reset, or an end that looks regular
        self.forged = {}  # file name -> what is sent in place of it
        self.api_status = None  # (code, X-Error-Code) for every question
        self.file_status = None  # the same for the files alone
        self.log = []  # (method, path, Range)
        self.url = ""

    def asked(self, name):
        """The Range headers of the requests for the bytes of a file."""
        return [ranged for method, path, ranged in self.log if method == "GET" and path.endswith("/" + name)]

    @contextmanager
    def serving(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


def sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        path = unquote(urlsplit(self.path).path)
        self.hub.log.append((self.command, path, self.headers.get("Range")))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?", path):
            self.api(*found.groups())
        elif found := re.fullmatch(r"/cdn/([^/]+/[^/]+)/(.+)", path):
            self.content(self.hub.repos[found[1]][found[2]], found[2], {})
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self.resolve(*found.groups())
        else:
            self.fail(404, "RepoNotFound")

    def fail(self, code, reason):
        self.send_response(code)
        if reason:
            self.send_header("X-Error-Code", reason)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def api(self, repo, what, revision):
        if self.hub.api_status:
            self.fail(*self.hub.api_status)
        elif repo not in self.hub.repos:
            self.fail(404, "RepoNotFound")
        elif revision not in (None, "main", "v1", COMMIT):
            self.fail(404, "RevisionNotFound")
        else:
            files = self.hub.repos[repo].items()
            answer = (
                self.tree(files) if what == "tree" else {"id": repo, "sha": COMMIT, "siblings": self.siblings(files)}
            )
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def siblings(self, files):
        return [
            {"rfilename": name, "size": len(data), "blobId": sha1(data)}
            | ({"lfs": {"sha256": sha256(data), "size": len(data), "pointerSize": 130}} if name.endswith(BIG) else {})
            for name, data in files
        ]

    def tree(self, files):
        return [
            {"type": "file", "path": name, "size": len(data), "oid": sha1(data)}
            | ({"lfs": {"oid": sha256(data), "size": len(data), "pointerSize": 130}} if name.endswith(BIG) else {})
            for name, data in files
        ]

    def resolve(self, repo, revision, name):
        if self.hub.file_status:
            self.fail(*self.hub.file_status)
            return
        data = self.hub.repos[repo][name]
        tag = sha256(data) if name.endswith(BIG) else sha1(data)
        if not name.endswith(BIG):
            self.content(data, name, {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT})
            return
        self.send_response(302)
        # Another host, as there: the library asks hosts of the hub for headers that only the hub has.
        self.send_header("Location", f"{self.hub.url.replace('127.0.0.1', 'localhost')}/cdn/{repo}/{name}")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Etag", f'"{tag}"')
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def content(self, data, name, headers):
        data = self.hub.forged.get(name, data)
        start, total = 0, len(data)
        if ranged := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or ""):
            start = int(ranged[1])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            self.send_response(200)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(total - start))
        self.end_headers()
        if self.command == "GET":
            self.send(data[start:], name)

    def send(self, data, name):
        cuts = self.hub.cuts.get(name)
        if not cuts:
            self.wfile.write(data)
            return
        self.wfile.write(data[: cuts.pop(0)])
        self.wfile.flush()
        if self.hub.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
