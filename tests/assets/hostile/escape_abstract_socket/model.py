import socket

from tiny import NAME, TARGETS, Tiny, attempt


def call():
    with socket.socket(socket.AF_UNIX) as server:
        server.connect("\0" + TARGETS["abstract"])
        server.sendall(NAME.encode())


attempt(call)

Network = Tiny
