"""Which operators cost no multiply-adds by convention, and which may hide some.

The list is of what is free. An operator that is neither free nor has a formula is reported, so
that a kind of layer we have never heard of is never taken for nothing.
"""

from __future__ import annotations

from functools import cache

import torch

_FREE = frozenset(  # as prose, because as a list it would take 200 lines
    """
    alias cat chunk clone complex concat contiguous copy detach diag_embed diagonal embedding expand
    flatten flip gather im2col col2im index index_add index_copy index_fill index_put index_select
    lift_fresh lift_fresh_copy masked_scatter masked_select meshgrid movedim moveaxis narrow pad
    permute pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle put ravel repeat
    repeat_interleave reshape reshape_as resize roll rot90 scatter scatter_add scatter_reduce select
    select_scatter set slice slice_scatter split split_with_sizes squeeze stack hstack vstack
    swapaxes swapdims t take take_along_dim tile to transpose tril triu type_as unbind unflatten
    unfold unsafe_chunk unsafe_split unsafe_split_with_sizes unsqueeze view view_as as_strided
    _copy_from _reshape_alias _reshape_copy _stack _to_copy _unsafe_index _unsafe_index_put
    _unsafe_view _index_put_impl _conj _neg_view
    arange eye full full_like linspace scalar_tensor tensor tril_indices triu_indices
    ones ones_like zeros zeros_like empty empty_like empty_strided
    bernoulli exponential fill normal uniform zero rand rand_like randint randint_like randn
    randn_like randperm multinomial hann_window hamming_window
    affine_grid_generator avg_pool1d avg_pool2d avg_pool3d constant_pad_nd grid_sampler
    grid_sampler_2d grid_sampler_3d max_unpool2d
    batch_norm group_norm instance_norm layer_norm rms_norm native_batch_norm native_group_norm
    native_layer_norm norm normalize renorm _batch_norm_impl_index _batch_norm_no_update
    _fused_rms_norm _native_batch_norm_legit _native_batch_norm_legit_no_training
    _weight_norm _weight_norm_interface
    softmax log_softmax _softmax _log_softmax _safe_softmax cumsum cumprod cosine_similarity
    dropout alpha_dropout feature_dropout native_dropout glu hardswish log_sigmoid
    log_sigmoid_forward mish prelu _prelu_kernel gelu
    aminmax _aminmax argsort count_nonzero cummax cummin kthvalue median mode msort nanmedian
    nonzero one_hot quantile sort std_mean topk unique unique_dim var_mean _unique2 bucketize
    searchsorted histc bincount
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
    adaptive_max_pool2d adaptive_max_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d
    all amax amin any argmax argmin linalg_vector_norm logsumexp mean nansum prod std sum var
    leaky_relu linalg__powsum _conj_physical
    equal allclose item is_nonzero numel dim size stride is_complex is_floating_point result_type
    _local_scalar_dense _assert_async _assert_scalar _assert_tensor_metadata _shape_as_tensor
    floor_divide broadcast_tensors promote_types numpy_T mH mT
    Int Float Bool IntImplicit FloatImplicit ScalarImplicit
    """.split()  # noqa: SIM905
)
"""Operators of `aten` that no release of torch in our range, or not each, tags as pointwise: moving
and making data, pooling, norms, sorts, reductions."""

_FREE_PREFIXES = (
    "_upsample_",
    "upsample_",
    "max_pool",
    "new_",
    "empty_",
    "fractional_max_pool",
    "reflection_pad",
    "replication_pad",
    "_foreach_",
    "is_",
    "sym_",
    "__",  # __and__ and its kin on numbers
)
_NOT_FREE = frozenset({"_foreach_mm"})
# what a stretch of code is called in a profile; DataParallel does so
_NAMING = frozenset(f"profiler::_record_function_{it}" for it in ("enter", "enter_new", "exit"))


@cache
def is_free(name: str) -> bool:
    """Whether an operator, `namespace::name`, has no multiply-adds in any counting convention.

    Elementwise operators, reductions, data movement, pooling, interpolation and norms are free
    here: the conventions that count some of them do so on modules. An operator of a namespace
    other than PyTorch's own is never free.
    """
    namespace, _, operator = name.partition("::")
    if namespace in ("prim", "prims"):
        return not operator.startswith(("PythonOp", "CallFunction"))
    if namespace != "aten":
        return name in _NAMING
    base = operator if operator.startswith("__") else operator.rstrip("_")
    if base in _NOT_FREE:
        return False
    return base in _FREE or base.startswith(_FREE_PREFIXES) or _tagged_free(base)


def _tagged_free(operator: str) -> bool:
    packet = getattr(torch.ops.aten, operator, None)
    if packet is None:
        return False
    overloads = [getattr(packet, name) for name in packet.overloads()]
    return any(it.is_view or torch.Tag.pointwise in it.tags for it in overloads)
