"""The use cases: evaluate, inspect, report, regenerate: paragraphs of calls to the layers below."""
