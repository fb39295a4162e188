from tiny import Tiny


class Network(Tiny):
    def forward(self, image):
        raise ValueError(
            "<script>alert(1)</script> [bold red]x[/] \x1b[2J\u202e {{ 7 * 7 }} \\input{x} | a"
        )
