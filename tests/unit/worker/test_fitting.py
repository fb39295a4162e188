from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from harness.worker.fitting import fit, ignored
from harness.worker.state_dict import BadWeights


def _model() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), nn.Conv2d(2, 3, 1, bias=False))


def _state(prefix: str = "", *more: str) -> dict[str, torch.Tensor]:
    state = {"0.weight": torch.ones(2, 3, 1, 1), "1.weight": torch.ones(3, 2, 1, 1)}
    return {
        **{f"{prefix}{name}": value for name, value in state.items()},
        **{name: torch.zeros(1) for name in more},
    }


def _fault(state: dict[str, torch.Tensor]) -> str:
    with pytest.raises(BadWeights) as caught:
        fit(_model(), state)
    return str(caught.value)


def test_what_fits_is_loaded() -> None:
    model = _model()
    fit(model, _state())
    assert all(parameter.eq(1).all() for parameter in model.parameters())


def test_keys_that_profilers_leave_are_proposed_by_name() -> None:
    assert _fault(_state("", "total_ops", "0.total_ops")) == (
        "the weights do not fit the model: 2 not in the model (0.total_ops, total_ops). They would "
        'with ignore_keys = ["0.total_ops", "total_ops"] in submission.toml'
    )


def test_a_prefix_is_proposed_and_what_training_and_averaging_add_beside_it() -> None:
    assert _fault(_state("module.", "n_averaged")).endswith(
        '. They would with strip_prefix = "module." and ignore_keys = ["n_averaged"] '
        "in submission.toml"
    )
    assert _fault(_state("model.", "loss.vgg.weight")).endswith(
        'strip_prefix = "model." and ignore_keys = ["loss.vgg.weight"] in submission.toml'
    )


def test_several_prefixes_that_would_do_are_all_named() -> None:
    state = {**_state("ema."), **_state("model.")}
    proposal = _fault(state).partition("They would with ")[2]
    assert proposal.startswith('strip_prefix = "ema." or "model." and ignore_keys = ["model.0.')


def test_nothing_is_proposed_where_nothing_would_do() -> None:
    assert "They would" not in _fault({"0.weight": torch.ones(2, 3, 1, 1), "x": torch.ones(1)})
    assert "They would" not in _fault({**_state("", "x"), "1.weight": torch.ones(3, 2, 3, 3)})
    assert "They would" not in _fault({})


def test_many_names_are_proposed_as_patterns_that_spare_the_models_own() -> None:
    own = {f"body.{number}.weight" for number in range(40)}
    extra = {f"body.{number}.{what}" for number in range(40) for what in ("total_ops", "ema")}
    assert ignored(extra, own) == ["*ema", "*total_ops"]
    extra = {f"loss.vgg.{number}.weight" for number in range(40)}
    assert ignored(extra, own) == ["loss.*"]


def test_names_that_no_pattern_tells_from_the_models_own_are_listed() -> None:
    own = {f"body.{number}.weight" for number in range(0, 80, 2)}
    extra = {f"body.{number}.weight" for number in range(1, 80, 2)}
    assert ignored(extra, own) == sorted(extra)


@pytest.mark.parametrize(
    ("kept", "remover"),
    [
        (nn.utils.parametrizations.weight_norm, "parametrize.remove_parametrizations"),
        (nn.utils.parametrizations.orthogonal, "parametrize.remove_parametrizations"),
        (lambda it: prune.identity(it, "weight"), "prune.remove"),
    ],
)
def test_weights_that_training_kept_in_parts_come_with_what_makes_them_whole(
    kept: Callable[[nn.Module], nn.Module], remover: str
) -> None:
    trained = _model()
    kept(trained[1])
    told = _fault(dict(trained.state_dict()))
    assert "1 missing (1.weight)" in told
    assert told.endswith(f"call torch.nn.utils.{remover} before the state dict is saved")


@pytest.mark.parametrize(
    ("parts", "remover"),
    [("g v", "remove_weight_norm"), ("orig u v", "remove_spectral_norm")],
)
def test_so_do_those_of_older_functions(parts: str, remover: str) -> None:
    state = _state("", *(f"1.weight_{part}" for part in parts.split()))
    del state["1.weight"]
    assert f"call torch.nn.utils.{remover} before" in _fault(state)
