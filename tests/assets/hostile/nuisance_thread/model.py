import threading
import time

from tiny import Tiny

threading.Thread(target=time.sleep, args=(60,)).start()

Network = Tiny
