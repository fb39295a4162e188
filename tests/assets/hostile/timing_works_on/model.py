import threading

from tiny import Tiny, work


class Network(Tiny):
    def forward(self, image):
        threading.Thread(target=work, args=(6.0,), daemon=True).start()
        return super().forward(image)
