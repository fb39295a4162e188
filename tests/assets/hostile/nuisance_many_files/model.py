from tiny import Tiny

Network = Tiny
