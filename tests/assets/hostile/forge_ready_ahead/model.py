from tiny import Tiny, attempt, frame, wire

wire()._socket.sendall(frame({"type": "Ready", "load_s": 0.0, "params": 0}))

Network = Tiny
