from tiny import Tiny, attempt, frame, wire

channel = wire()
honest = channel.send


def larger(message, payload=b"", **more):
    honest(message, bytes(payload) * 2 if payload else b"", **more)


channel.send = larger

Network = Tiny
