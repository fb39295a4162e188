"""Image datasets: where they lie, whether they are whole, and their pixels.

`find` looks for a dataset of the catalogue (`known.toml`) under a data folder and checks names,
counts and sizes without decoding; `dataset` decodes one image. Part of the trusted side: a worker
is handed LR arrays, never a path.
"""
