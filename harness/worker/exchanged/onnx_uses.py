"""What calls of an ONNX graph take: tensors, or plain numbers such as sizes and axes."""

from __future__ import annotations

from harness.worker.exchanged.onnx_file import OnnxGraph, OnnxNode

# inputs that are sizes or plain numbers of a call, by their place
_NUMBERS = {
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "Upsample": (1,),
    "Slice": (1, 2, 3, 4),
    "Pad": (1, 2, 3),
    "Clip": (1, 2),
    "Unsqueeze": (1,),
    "Squeeze": (1,),
    "Expand": (1,),
    "Tile": (1,),
    "Split": (1,),
    "Gather": (1,),
    "Dropout": (1, 2),
    "Range": (0, 1, 2),
    "ConstantOfShape": (0,),
    **{f"Reduce{kind}": (1,) for kind in ("Mean", "Sum", "Max", "Min", "L2", "Prod")},
}


def takes_number(node: OnnxNode, place: int) -> bool:
    """Whether an input is of numbers whatever else the call takes."""
    return place in _NUMBERS.get(node.kind, ())


def calls_of_tensors(graph: OnnxGraph) -> frozenset[int]:
    """The numbers of the calls that work on tensors; the others compute sizes.

    They are those on the image, and those that give such a call another of its tensors.
    """
    wanted = {graph.image}
    for node in graph.nodes:
        if node.kind != "Shape" and wanted.intersection(_tensors(node)):
            wanted.update(filter(None, node.outputs))
    wanted.add(graph.output)
    calls = set()
    for node in reversed(graph.nodes):
        if node.kind != "Shape" and wanted.intersection(node.outputs):
            wanted.update(_tensors(node))
            calls.add(node.number)
    return frozenset(calls)


def _tensors(node: OnnxNode) -> list[str]:
    return [it for place, it in enumerate(node.inputs) if it and not takes_number(node, place)]
