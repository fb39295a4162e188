import sys

from tiny import Tiny

sys.exit("done")

Network = Tiny
