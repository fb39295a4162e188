from tiny import Tiny, attempt, frame, wire

channel = wire()
honest = channel.send


def instant(message, payload=b"", **more):
    if hasattr(message, "seconds"):
        object.__setattr__(message, "seconds", 0.0)
    honest(message, payload, **more)


channel.send = instant

Network = Tiny
