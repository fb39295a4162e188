"""What the trusted side and a worker say to each other; the one package that both import."""
