"""Documents on disk: strict TOML and JSON to frozen values, and files written whole."""
