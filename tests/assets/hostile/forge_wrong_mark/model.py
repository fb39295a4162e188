from tiny import Tiny, attempt, frame, wire

channel = wire()
honest = channel.send


def marked(message, payload=b"", **more):
    channel._mark = "f" * 32
    honest(message, payload, **more)


channel.send = marked

Network = Tiny
