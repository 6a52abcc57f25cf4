"""A server that answers by itself, as the test says at the moment: a status, a body, fields, late
or not at all. It counts what it is asked.
"""

import http.server
import socket
import threading
import time

from support.ports import free_port


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        site = self.server.site
        with site.lock:
            site.seen.append((time.monotonic(), self.path))
        if site.delays.get(self.path):
            site.delays[self.path].wait()
        status, fields = site.answers.get(self.path, (site.status, site.fields))
        body = site.body.encode()
        if status is None:  # it leaves without an answer
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if fields.get("Connection") == "close":
            self.close_connection = True

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def shutdown_request(self, request):
        self.site.forget(request)
        super().shutdown_request(request)

    def handle_error(self, *_):
        pass


class Site:
    def __init__(self, name, port=None):
        self.name = name
        self.port = port or free_port()
        self.lock = threading.Lock()
        self.seen = []  # (when, path)
        self.answers = {}  # of a path: (status, fields)
        self.delays = {}  # of a path: an event that its answer waits for
        self.status, self.fields, self.body = 200, {}, name
        self.server = None
        self.connections = set()
        self.start()

    def start(self):
        """At the same port as before."""
        self.server = Server(("127.0.0.1", self.port), Handler, bind_and_activate=False)
        self.server.site = self
        self.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.server_bind()
        self.server.server_activate()
        get_request = self.server.get_request

        def remembered():
            connection, peer = get_request()
            with self.lock:
                self.connections.add(connection)
            return connection, peer

        self.server.get_request = remembered
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def forget(self, connection):
        with self.lock:
            self.connections.discard(connection)

    def stop(self):
        """From here on it refuses connections, and those that it has had are cut."""
        if self.server is None:
            return
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        with self.lock:
            for connection in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.connections.clear()

    def asked(self, path="/"):
        with self.lock:
            return [when for when, one in self.seen if one == path]
