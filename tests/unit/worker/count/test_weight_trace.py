from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from harness.core.model_counts import WeightTrace
from harness.documents.typed import build
from harness.worker.count.dispatch import DispatchCounter
from harness.worker.count.weight_trace import TraceRecorder


def _read(model: nn.Module, side: int = 6) -> WeightTrace:
    image = torch.zeros(1, 3, side, side)
    reads = TraceRecorder(model, image)
    with torch.no_grad(), reads, DispatchCounter():
        output = model(image)
    return build(WeightTrace, reads.report(output))


class Kernel(nn.Module):
    """A convolution with what `kernel` makes of the tensors below."""

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Parameter(torch.ones(3, 3, 3, 3))
        self.small = nn.Parameter(torch.ones(3, 3, 1, 1))
        self.register_buffer("mask", torch.ones(3, 3, 3, 3))
        self.register_buffer("table", torch.ones(16))
        self.register_buffer("places", torch.zeros(81, dtype=torch.int64))

    def forward(self, image: Tensor) -> Tensor:
        return F.conv2d(image, self.kernel(), padding=1)

    def kernel(self) -> Tensor:
        return self.own


def test_bytes_that_no_operator_wrote_end_the_following() -> None:
    """As numpy does, or another thread, where no dispatch mode looks."""

    class Hidden(Kernel):
        def forward(self, image: Tensor) -> Tensor:
            out = super().forward(image)
            out.numpy()[...] = 7.0
            return self.then(out)

        def then(self, out: Tensor) -> Tensor:
            return out

    class ReadLater(Hidden):
        def then(self, out: Tensor) -> Tensor:
            return out + 1

    class WrittenLater(Hidden):
        def then(self, out: Tensor) -> Tensor:
            return out.mul_(2)

    found = [_read(model()).follows for model in (Kernel, Hidden, ReadLater, WrittenLater)]
    assert found == [True, False, False, False]


def test_an_image_that_is_made_outside_in_pieces_is_told() -> None:
    class Pieces(Kernel):
        def forward(self, image: Tensor) -> Tensor:
            rows = [torch.empty(1, 3, 1, image.shape[3]) for _ in range(image.shape[2])]
            for row in rows:
                row.numpy()[...] = 7.0
            return super().forward(image) * 0 + torch.cat(rows, 2)

    found = [it for it in _read(Pieces()).held if it.name == "smaller tensors together"]
    assert [(it.kind, it.numel) for it in found] == [("constant", 3 * 6 * 6)]


def test_bytes_that_operators_write_in_place_are_followed() -> None:
    class InPlace(Kernel):
        def forward(self, image: Tensor) -> Tensor:
            out = torch.empty(1, 3, *image.shape[2:])
            torch.add(super().forward(image), 1, out=out)
            out[:, 0] = 0.5
            out[:, 1:].mul_(2).clamp_(0, 1)
            return out

    assert _read(InPlace()).follows


def test_plain_parameters_hide_nothing_and_those_not_read_are_named() -> None:
    read = _read(Kernel())
    assert (read.params_read, read.unread) == (81, ("small",))
    assert (read.held, read.hidden, read.follows) == ((), 0, True)


def test_a_mask_on_as_many_parameters_is_read_but_hides_nothing() -> None:
    class Masked(Kernel):
        def kernel(self) -> Tensor:
            return self.own * self.mask

    read = _read(Masked())
    assert [(it.name, it.role) for it in read.held] == [("mask", "values")]
    assert read.hidden == 0


def test_a_buffer_with_a_few_parameters_on_it_is_hidden_weights() -> None:
    class Scaled(Kernel):
        def kernel(self) -> Tensor:
            return self.mask * self.small

    read = _read(Scaled())
    assert [(it.name, it.kind, it.role, it.numel) for it in read.held] == [
        ("mask", "buffer", "weights", 81)
    ]
    assert read.hidden == 81


def test_indices_into_a_short_table_are_hidden_weights_like_the_table() -> None:
    class Quantised(Kernel):
        def kernel(self) -> Tensor:
            return self.table[self.places].reshape(3, 3, 3, 3)

    assert _read(Quantised()).hidden == 16 + 81


class Table(Kernel):
    """Values of a table at places that the image tells."""

    def __init__(self, *, learned: bool = False) -> None:
        super().__init__()
        values = torch.ones(16, 3)
        if learned:
            self.values = nn.Parameter(values)
        else:
            self.register_buffer("values", values)

    def forward(self, image: Tensor) -> Tensor:
        return image + self.chosen(image.mean(1).long().flatten()).sum()

    def chosen(self, places: Tensor) -> Tensor:
        return self.values[places]


class Embedded(Table):
    def chosen(self, places: Tensor) -> Tensor:
        return F.embedding(places, self.values)


class Gathered(Table):
    def chosen(self, places: Tensor) -> Tensor:
        return self.values.gather(0, places[:, None].expand(-1, 3))


class Selected(Table):
    def chosen(self, places: Tensor) -> Tensor:
        return (self.values * 2).index_select(0, places)


class Sampled(Table):
    def chosen(self, places: Tensor) -> Tensor:
        grid = places.view(1, 1, -1, 1).expand(-1, -1, -1, 2).float()
        return F.grid_sample(self.values[None, None], grid, align_corners=False)


@pytest.mark.parametrize("kind", [Table, Embedded, Gathered, Selected, Sampled])
def test_a_table_that_the_image_chooses_in_is_hidden_weights(kind: type[Table]) -> None:
    read = _read(kind())
    assert [(it.name, it.role, it.numel) for it in read.held] == [("values", "weights", 48)]
    assert read.hidden == 48
    assert _read(kind(learned=True)).hidden == 0


def test_a_table_read_at_fixed_places_and_the_image_at_its_own_hide_nothing() -> None:
    class Biased(Table):
        def chosen(self, places: Tensor) -> Tensor:
            fixed = self.values[self.places]  # as attention takes its biases
            most = places.topk(3).indices
            return fixed.sum() + places[most]

    read = _read(Biased())
    assert read.hidden == 0
    assert {(it.name, it.role) for it in read.held} == {("values", "values"), ("places", "values")}


def test_a_smaller_kernel_padded_with_zeros_or_written_into_them_is_all_parameters() -> None:
    class Padded(Kernel):
        def kernel(self) -> Tensor:
            written = torch.zeros(3, 3, 3, 3)
            written[:, :, 1:2, 1:2] = self.small
            return F.pad(self.small, (1, 1, 1, 1)) + written

    read = _read(Padded())
    assert (read.hidden, read.held) == (0, ())


def test_a_parameter_that_is_a_small_view_of_a_buffer_stands_for_nothing() -> None:
    class Tied(Kernel):
        def __init__(self) -> None:
            super().__init__()
            self.small = nn.Parameter(self.mask.view(-1)[:1], requires_grad=False)

        def kernel(self) -> Tensor:
            return self.mask

    assert _read(Tied()).hidden == 81


def test_norms_and_offsets_are_read_as_values() -> None:
    class Normed(Kernel):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(3).eval()
            self.mean = torch.zeros(1, 3, 1, 1)

        def forward(self, image: Tensor) -> Tensor:
            normed: Tensor = self.norm(super().forward(image - self.mean))
            return normed

    read = _read(Normed())
    assert {(it.name, it.role) for it in read.held} == {
        ("norm.running_mean", "values"),
        ("norm.running_var", "values"),
        ("mean", "values"),
    }
    assert read.hidden == 0


def test_what_takes_the_image_s_shape_alone_does_not_come_of_it() -> None:
    class Constant(Kernel):
        def forward(self, image: Tensor) -> Tensor:
            return torch.zeros_like(image) + image.new_ones(image.shape)

    assert not _read(Constant()).follows


def test_what_is_written_in_place_comes_of_what_was_written() -> None:
    class Written(Kernel):
        def forward(self, image: Tensor) -> Tensor:
            canvas = torch.empty(1, 3, 6, 6)
            canvas[:, :, 2:4] = image[:, :, :2]
            return canvas

    assert _read(Written()).follows
