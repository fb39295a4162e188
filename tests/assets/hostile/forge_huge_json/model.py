from tiny import Tiny, attempt, frame, wire

wire()._socket.sendall(frame(b"[" * 4_000_000))

Network = Tiny
