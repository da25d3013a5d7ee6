"""A runtime's HTTP side in a process of its own that does as it is told, for tests that kill it, freeze it and feed it nonsense.

    python -m tests.broker.misbehaving PORT

The path of a request may begin with anything; what counts is ``mode``, set by ``PUT /mode`` (JSON). ``GET /asked`` lists the
requests since the last ``PUT``.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

mode: dict[str, Any] = {}
asked: list[list[str]] = []
made: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.act("GET")

    def do_POST(self) -> None:
        self.act("POST")

    def do_PUT(self) -> None:
        self.act("PUT")

    def act(self, method: str) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/mode":
            mode.clear()
            mode.update(json.loads(raw))
            asked.clear()
            return self.tell(200, {})
        if self.path == "/asked":
            return self.tell(200, {"asked": asked})
        asked.append([method, self.path, raw.decode()])
        match mode.get("do"):
            case "cut":  # take the request, make the chat, say nothing
                if len(asked) <= mode.get("times", 1):
                    if method == "POST":
                        made.append(f"chat-{len(made)}")
                    self.close_connection = True
                    return self.connection.close()
            case "status":
                return self.tell(mode["status"], mode.get("body", {}))
            case "health401" if "health" in self.path:
                return self.tell(401, {"detail": "Not authenticated"})
            case "garbage":
                return self.raw(200, b"\x00\xff<html>not json")
            case "nested":
                return self.raw(200, b"[" * 100_000)
            case "huge":
                self.send_response(200)
                self.end_headers()
                block = b"x" * 1_000_000
                try:
                    for _ in range(100):
                        self.wfile.write(block)
                except OSError:
                    mode["stopped"] = True
                self.close_connection = True
                return None
            case "drip":
                self.send_response(200)
                self.end_headers()
                try:
                    for _ in range(600):
                        self.wfile.write(b" ")
                        time.sleep(0.05)
                except OSError:
                    pass
                self.close_connection = True
                return None
        if method == "POST" and "start" in self.path:
            fresh = json.loads(raw).get("force_new")
            reused = not fresh and bool(made)
            if not reused:
                made.append(f"chat-{len(made)}")
            return self.tell(200, {"success": True, "chat_id": made[-1], "reused": reused})
        return self.tell(200, {"exists": True, "status": 0, "Assistant": {}})

    def tell(self, status: int, body: Any) -> None:
        self.raw(status, json.dumps(body).encode())

    def raw(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return None


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
