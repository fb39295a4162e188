from __future__ import annotations

import numpy as np
import pytest

from harness.core.record import ImageScore
from harness.measure.score_queue import ScoreQueue
from harness.measure.session import LrImage
from harness.quality.pixels import Uint8

OUTPUT = np.zeros((4, 5, 3), np.uint8)  # 60 bytes
IMAGES = [LrImage("set", f"{at}", OUTPUT) for at in range(3)]


def judge(image: LrImage, output: Uint8) -> ImageScore:
    return ImageScore(image.dataset, image.image, f"{output.max()}")


def test_nothing_is_scored_before_it_is_the_time_for_it() -> None:
    asked: list[LrImage] = []
    queue = ScoreQueue()
    waiting = queue.put(lambda image, output: asked.append(image) or judge(image, output), *PAIR)
    assert (waiting.score, asked) == (None, [])
    queue.work()
    assert waiting.score == ImageScore("set", "0", "0")
    queue.work()
    assert asked == [IMAGES[0]]


def test_each_output_has_the_score_of_its_own_judge_and_is_held_no_longer() -> None:
    queue = ScoreQueue()
    waiting = [queue.put(judge, it, OUTPUT + at) for at, it in enumerate(IMAGES)]
    queue.work()
    assert [it.score for it in waiting] == [ImageScore("set", f"{at}", f"{at}") for at in range(3)]
    assert not any(it.output is not None for it in waiting)
    assert all(it.took_s == waiting[0].took_s > 0.0 for it in waiting)


def test_a_queue_is_full_by_the_bytes_that_wait() -> None:
    queue = ScoreQueue(most_bytes=120)
    queue.put(judge, *PAIR)
    assert not queue.full
    queue.put(judge, *PAIR)
    assert queue.full
    queue.work()
    assert not queue.full


def test_a_judge_that_fails_is_not_silent() -> None:
    queue = ScoreQueue()
    queue.put(lambda *_: 1 // 0, *PAIR)  # type: ignore[arg-type, return-value]
    with pytest.raises(ZeroDivisionError):
        queue.work()


PAIR = IMAGES[0], OUTPUT
