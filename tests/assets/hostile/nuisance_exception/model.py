from tiny import Tiny


class Odd(BaseException):
    def __str__(self):
        raise self

    __repr__ = __str__


class Network(Tiny):
    def forward(self, image):
        raise Odd
