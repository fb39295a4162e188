from tiny import Heavy


class Network(Heavy):
    kept = {}

    def forward(self, image):
        key = image.numpy().tobytes()
        if key not in self.kept:
            self.kept[key] = super().forward(image)
        return self.kept[key]
