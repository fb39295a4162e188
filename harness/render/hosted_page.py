"""The page of a submission to a hosted challenge: scores that are ours, figures that it claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.quality.score import Quality
from harness.render.shell import policy, style, templates
from harness.render.text import NOTE_LIMIT, short


@dataclass(frozen=True)
class HostedScore:
    """What an output came to."""

    dataset: str
    image: str
    quality: Quality


def hosted_page(
    title: str,
    names: tuple[str, str],
    figures: Mapping[str, float],
    scores: Sequence[HostedScore],
    notes: Sequence[str],
) -> str:
    """The HTML page of a submission, by its team's and model's `names`; it loads nothing."""
    return (
        templates()
        .get_template("hosted.html.j2")
        .render(
            title=title,
            policy=policy(),
            style=style(),
            team=short(names[0]),
            model=short(names[1]),
            figures=[(key, f"{figure:.4f}") for key, figure in figures.items()],
            rows=[
                (
                    short(it.dataset),
                    short(it.image),
                    f"{it.quality.finite()['psnr_db']:.4f}",
                    f"{it.quality.ssim:.4f}",
                )
                for it in scores
            ],
            notes=[short(note, NOTE_LIMIT) for note in notes],
        )
    )
