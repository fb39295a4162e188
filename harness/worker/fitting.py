"""Load a state dict strictly, and say what would make one fit that does not."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase

from torch import Tensor, nn

from harness.worker.caps import brief
from harness.worker.state_dict import BadWeights

_SPELT = 250  # characters of names in a proposal; more are told by patterns
_PREFIXES = 3
_IN_PARTS = {  # how training may keep {0}.{1}, and what makes one tensor of its parts again
    "{0}.{1}_mask": "torch.nn.utils.prune.remove",
    "{0}.{1}_g": "torch.nn.utils.remove_weight_norm",
    "{0}.{1}_u": "torch.nn.utils.remove_spectral_norm",
    "{0}.parametrizations.{1}.original": "torch.nn.utils.parametrize.remove_parametrizations",
    "{0}.parametrizations.{1}.original0": "torch.nn.utils.parametrize.remove_parametrizations",
}


def fit(model: nn.Module, state: Mapping[str, Tensor], key: str = "") -> None:
    """Load `state`; BadWeights names what does not fit, and what to add to the manifest.

    `key` is where in its file it was found without being told.
    """
    own = model.state_dict()
    common = own.keys() & state.keys()
    missing, extra = own.keys() - state.keys(), state.keys() - own.keys()
    misshapen = {name for name in common if own[name].shape != state[name].shape}
    faults = [
        *brief(sorted(missing), "missing"),
        *brief(sorted(extra), "not in the model"),
        *brief(sorted(misshapen), "of another shape"),
    ]
    if faults:
        advice = "" if misshapen else _in_parts(missing, extra) or _advice(own, state)
        under = f" under {key!r}" if key else ""
        raise BadWeights(f"the weights{under} do not fit the model: {'; '.join(faults)}{advice}")
    model.load_state_dict(dict(state), strict=True)


def ignored(extra: Collection[str], own: Collection[str]) -> list[str]:
    """`ignore_keys` for names that a model does not have.

    The very names, or patterns of what many of them begin or end with, which fit none of the
    model's own.
    """
    if sum(len(name) + 4 for name in extra) <= _SPELT:
        return sorted(extra)
    left, chosen = set(extra), list[str]()
    while left:
        covered = {pattern: _matching(pattern, left) for pattern in sorted(_patterns(left))}
        usable = {it: names for it, names in covered.items() if not _matching(it, own)}
        best = max(usable, key=lambda it: len(usable[it]), default="")
        if not best or len(usable[best]) == 1:
            return [*chosen, *sorted(left)]
        chosen.append(best)
        left -= usable[best]
    return chosen


def _advice(own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """What the manifest would have to say, if that is all that is needed."""
    prefixes = [""] if own.keys() <= state.keys() else _prefixes(own, state)
    if not prefixes or not own:
        return ""
    stripped = {name.removeprefix(prefixes[0]) for name in state}
    lines = []
    if prefixes[0]:
        lines.append(f"strip_prefix = {' or '.join(map(json.dumps, prefixes))}")
    if extra := ignored(stripped - own.keys(), own):
        lines.append(f"ignore_keys = {json.dumps(extra)}")
    return f". They would with {' and '.join(lines)} in submission.toml"


def _in_parts(missing: Collection[str], extra: Collection[str]) -> str:
    """What to call before the weights are saved, where training kept some in parts."""
    places = [name.rpartition(".")[::2] for name in missing]
    present = {form for form in _IN_PARTS for it in places if form.format(*it) in extra}
    removers = [how for form, how in _IN_PARTS.items() if form in present]
    if not removers:
        return ""
    calls = " and ".join(dict.fromkeys(removers))
    return f". Training kept them in parts: call {calls} before the state dict is saved"


def _prefixes(own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> list[str]:
    """What to cut off the names, so that all that the model wants is there."""
    sought = max(own, key=len, default="")
    found = (name.removesuffix(sought) for name in state if name.endswith(sought))
    return [
        it
        for it in dict.fromkeys(found)
        if all(it + name in state and own[name].shape == state[it + name].shape for name in own)
    ][:_PREFIXES]


def _patterns(names: Collection[str]) -> Iterator[str]:
    for name in names:
        parts = name.split(".")
        yield f"*{parts[-1]}"
        yield from (f"{'.'.join(parts[:depth])}.*" for depth in range(1, len(parts)))


def _matching(pattern: str, names: Collection[str]) -> set[str]:
    return {name for name in names if fnmatchcase(name, pattern)}
