"""`python -m reference_models.training`."""

from __future__ import annotations

from reference_models.training.cli import main

if __name__ == "__main__":
    main()
