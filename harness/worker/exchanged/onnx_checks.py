"""What of an ONNX graph is refused before a module is made of it.

An attribute that nothing here looks at would change what a network computes without a word: every
operator has a list of those that are looked at, and another is taken only where it says nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from harness.worker.exchanged.onnx_file import BadOnnx, OnnxGraph, OnnxNode

_WINDOW = "auto_pad dilations kernel_shape pads strides"
_ATTRIBUTES = {
    "AveragePool": "auto_pad ceil_mode count_include_pad kernel_shape pads strides",
    "BatchNormalization": "epsilon momentum",
    "Cast": "to saturate",
    "Celu": "alpha",
    "Clip": "min max",
    "Concat": "axis",
    "ConstantOfShape": "value",
    "Conv": f"{_WINDOW} group",
    "ConvTranspose": f"{_WINDOW} group output_padding output_shape",
    "DepthToSpace": "blocksize mode",
    "Dropout": "ratio seed",
    "Einsum": "equation",
    "Elu": "alpha",
    "Flatten": "axis",
    "Gather": "axis",
    "Gelu": "approximate",
    "Gemm": "alpha beta transA transB",
    "HardSigmoid": "alpha beta",
    "InstanceNormalization": "epsilon",
    "LayerNormalization": "axis epsilon",
    "LeakyRelu": "alpha",
    "MaxPool": f"{_WINDOW} ceil_mode storage_order",
    "Mod": "fmod",
    "Pad": "mode pads value",
    "Reshape": "allowzero",
    "Resize": "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside"
    " extrapolation_value mode nearest_mode",
    "Selu": "alpha gamma",
    "Shape": "start end",
    "Slice": "axes ends starts",
    "Softmax": "axis",
    "SpaceToDepth": "blocksize",
    "Split": "axis num_outputs split",
    "Squeeze": "axes",
    "Transpose": "perm",
    "Unsqueeze": "axes",
    "Upsample": "mode scales",
    **{
        f"Reduce{kind}": "axes keepdims noop_with_empty_axes"
        for kind in ("Mean", "Sum", "Max", "Min", "L2", "Prod")
    },
}
# what another attribute is where it says nothing
_PLAIN: dict[tuple[str, str], Any] = {
    ("AveragePool", "dilations"): [1, 1],
    ("BatchNormalization", "spatial"): 1,
    ("BatchNormalization", "training_mode"): 0,
    ("LayerNormalization", "stash_type"): 1,
    ("Resize", "keep_aspect_ratio_policy"): "stretch",
}


def check(graph: OnnxGraph) -> None:
    """BadOnnx with the reason unless every call is given what it takes."""
    given = {graph.image, *graph.learned, *graph.constants}
    made: set[str] = set()
    for node in graph.nodes:
        _check_inputs(node, given, graph.opset)
        outputs = [it for it in node.outputs if it]
        if again := next((it for it in outputs if it in given), None):
            raise BadOnnx(f"{node} gives {again!r:.40}, which is there before")
        given.update(outputs)
        made.update(outputs)
    if graph.output not in made:
        raise BadOnnx(f"no operator gives its output {graph.output!r:.40}")


def refuse_untranslated(node: OnnxNode, kinds: Collection[str]) -> None:
    """BadOnnx with the reason unless a call is of these kinds and says what torch can do."""
    if node.kind not in kinds:
        raise BadOnnx(f"{node} can't be translated to an operator of torch")
    known = _ATTRIBUTES.get(node.kind, "").split()
    for name, value in node.attributes.items():
        plain = _PLAIN.get((node.kind, name))
        if name not in known and (plain is None or plain != value):
            raise BadOnnx(f"{node} can't be translated with {name:.40} = {value!r:.40}")


def _check_inputs(node: OnnxNode, given: set[str], opset: int) -> None:
    least = _least_inputs(node.kind, opset)
    if len(node.inputs) < least or (least and not node.inputs[0]):
        raise BadOnnx(f"{node} has {sum(map(bool, node.inputs))} inputs, and takes {least} or more")
    if missing := next((it for it in node.inputs if it and it not in given), None):
        raise BadOnnx(f"{node} takes {missing!r:.40}, which nothing before it gives")


def _least_inputs(kind: str, opset: int) -> int:
    """How many inputs the standard asks for; 0 where that version has no such operator."""
    from onnx import defs

    if not defs.has(kind, max_inclusive_version=opset, domain=""):
        return 0
    return int(defs.get_schema(kind, opset, "").min_input)
