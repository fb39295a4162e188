"""Rows of a results file that are means over other images than the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping

from fakes.results_files import row

from harness.board.imported import same_images
from harness.board.ntire_results import Results, ResultsSplit, parse


def results(**images: tuple[int, int]) -> Results:
    """Rows by name with that many validation and test images."""
    document = {
        name: row(
            5.0,
            valid_runtime=[5.0] * valid,
            valid_psnr=[27.0] * valid,
            test_runtime=[5.0] * test,
            test_psnr=[27.0] * test,
        )
        for name, (valid, test) in images.items()
    }
    found = parse(json.dumps(document).encode())
    assert not found.faults
    return found


def sorted_out(
    found: Results, whole: Mapping[ResultsSplit, int]
) -> tuple[list[str], dict[str, str]]:
    kept, _ = same_images(found, whole)
    return list(kept.rows), dict(kept.faults)


def test_a_row_of_fewer_images_than_the_others_is_a_fault() -> None:
    kept, faults = sorted_out(results(a=(4, 2), b=(4, 2), c=(3, 1)), {})
    assert kept == ["a", "b"]
    assert faults == {
        "c": "valid_runtime has 3 images, that of other rows 4; "
        "test_runtime has 1 images, that of other rows 2"
    }


def test_a_row_of_the_whole_data_set_outweighs_a_majority() -> None:
    kept, faults = sorted_out(results(a=(3, 2), b=(3, 2), c=(4, 2)), {"valid": 4})
    assert (kept, sorted(faults)) == (["c"], ["a", "b"])


def test_of_as_many_rows_those_of_more_images_stay() -> None:
    kept, _ = sorted_out(results(a=(3, 2), b=(4, 2)), {})
    assert kept == ["b"]


def test_an_absent_split_is_no_other_number_of_images() -> None:
    kept, faults = sorted_out(results(a=(4, 0), b=(4, 0), c=(4, 2)), {})
    assert (kept, faults) == (["a", "b", "c"], {})


def test_a_number_that_is_not_the_data_sets_is_told() -> None:
    found = results(a=(4, 2), b=(4, 2))
    _, notes = same_images(found, {"valid": 100, "test": 2})
    assert notes == ("The valid split has 4 images here, its data set 100.",)


def test_faults_that_were_there_stay() -> None:
    found = Results(results(a=(4, 2)).rows, {"torn": "is no object of figures"})
    kept, _ = same_images(found, {})
    assert (list(kept.rows), dict(kept.faults)) == (["a"], {"torn": "is no object of figures"})
