from __future__ import annotations

import pytest

from harness.worker.count.formulas import FORMULAS
from harness.worker.count.operators import _FREE, is_free


@pytest.mark.parametrize(
    "name",
    [
        "aten::leaky_relu_",
        "aten::add",
        "aten::mean",
        "aten::view",
        "aten::pixel_shuffle",
        "aten::upsample_bicubic2d",
        "aten::max_pool2d",
        "aten::softmax",
        "aten::native_layer_norm",
        "aten::reflection_pad2d",
        "aten::__and__",
        "prim::ListConstruct",
        "profiler::_record_function_enter_new",
        "profiler::_record_function_exit",
    ],
)
def test_elementwise_reducing_and_moving_operators_are_free(name: str) -> None:
    assert is_free(name)


def test_what_only_newer_releases_of_torch_tag_is_free_by_name() -> None:
    # torch 2.6 tags no reduction and 2.11 no leaky_relu: with it counts of RLFN were "incomplete"
    reductions = "all amax amin any argmax argmin logsumexp mean nansum prod std sum var"
    assert {"leaky_relu", "linalg_vector_norm", *reductions.split()} <= _FREE


@pytest.mark.parametrize(
    "name",
    [
        "acme::conv",
        "profiler::conv",
        "torchvision::deform_conv2d",
        "aten::_convolution_mode",
        "aten::scaled_dot_product_attention",
        "aten::_fft_c2c",
        "aten::mkldnn_rnn_layer",
        "aten::_foreach_mm",
        "aten::an_operator_of_the_future",
        "prim::PythonOp.Hidden",
    ],
)
def test_operators_that_may_hide_products_are_not_free(name: str) -> None:
    assert not is_free(name)


def test_nothing_with_a_formula_is_free() -> None:
    assert not [name for name in FORMULAS if is_free(f"aten::{name}")]
