from tiny import Tiny, attempt, frame, wire

channel = wire()
honest = channel.send


def longer(message, payload=b"", **more):
    if hasattr(message, "seconds"):
        object.__setattr__(message, "seconds", 1e6)
    honest(message, payload, **more)


channel.send = longer

Network = Tiny
