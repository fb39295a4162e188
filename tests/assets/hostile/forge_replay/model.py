from tiny import Tiny, attempt, frame, wire

channel = wire()
honest = channel.send


def twice(message, payload=b"", **more):
    honest(message, payload, **more)
    honest(message, payload, **more)


channel.send = twice

Network = Tiny
