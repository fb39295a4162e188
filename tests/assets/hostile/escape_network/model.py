import socket

from tiny import NAME, TARGETS, Tiny, attempt


def call():
    with socket.create_connection(("127.0.0.1", TARGETS["port"]), 2) as server:
        server.sendall(NAME.encode())


attempt(call)

Network = Tiny
