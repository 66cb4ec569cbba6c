# SPDX-License-Identifier: BSD-3-Clause
"""A server that speaks memcached's text protocol and misbehaves on request.

One thread answers all connections in turn, so what delays one answer delays all. Used by memload.py.
"""
import selectors
import socket
import threading
import time


class Server:
    """`fault(number, words, answer)` may change the answer to the number-th GET; None: as it is."""

    def __init__(self, fault=None):
        self.fault = fault
        self.values, self.versions = {}, {}
        self.gets = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.ended = False
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        self.listener.close()

    def serve(self):
        selector = selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ)
        rest = {}
        while not self.ended:
            for key, _ in selector.select(0.05):
                if key.fileobj is self.listener:
                    connection, _ = self.listener.accept()
                    rest[connection] = b""
                    selector.register(connection, selectors.EVENT_READ)
                elif not self.take(key.fileobj, rest):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
        for connection in rest:
            connection.close()

    def take(self, connection, rest):
        """Answers what came on a connection; False: it is to be closed."""
        try:
            data = connection.recv(65536)
            if not data:
                return False
            answers, rest[connection] = self.answers(rest[connection] + data)
            connection.sendall(answers)
        except (ConnectionError, StopIteration):
            return False
        return True

    def answers(self, data):
        answers = b""
        while b"\r\n" in data:
            line, _, after = data.partition(b"\r\n")
            words = line.split()
            if words[0] == b"set":
                size = int(words[4])
                if len(after) < size + 2:
                    break
                self.versions.setdefault(words[1], []).append(after[:size])
                self.values[words[1]] = after[:size]
                answers += b"STORED\r\n"
                data = after[size + 2:]
            else:
                answers += self.get(words)
                data = after
        return answers, data

    def get(self, words):
        self.gets += 1
        value = self.values[words[1]]
        answer = b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (words[1], len(value), value)
        changed = self.fault(self, self.gets, words[1], answer) if self.fault else None
        return answer if changed is None else changed


def stall_once(at, seconds):
    def fault(_server, number, _key, _answer):
        if number == at:
            time.sleep(seconds)
    return fault


def at_number(at, change):
    """change(server, key, answer) makes the answer to the at-th GET."""
    def fault(server, number, key, answer):
        return change(server, key, answer) if number == at else None
    return fault
