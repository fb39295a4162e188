"""Train the reference models from a folder of HR images, by recipes that are data.

Run from a checkout: `python -m reference_models.training --help`. Nothing in `harness` imports
this.
"""
