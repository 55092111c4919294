"""What the demonstrations of textures and of HOG claim."""

import write_questions


def table(name: str) -> dict[str, list[float]]:
    _, rows, _ = write_questions.CLASSIC.load(name).experiment()
    return {row[0]: [float(cell) for cell in row[1:]] for row in rows}


def test_filters_tell_textures_apart_and_pixels_do_not() -> None:
    found = table("textures")
    assert found["pixels"][1] < 0.6
    assert found["statistics of the answers"][1] > 0.95 and found["histogram of textons"][1] > 0.95


def test_hog_forgets_light_and_blocks_forget_contrast_but_not_noise_or_turns() -> None:
    found = table("what_hog_sees")
    pixels, cells, blocks = found["40 more light"]
    assert pixels > 0.4 and cells == blocks == 0
    assert found["half the contrast"][2] < found["half the contrast"][1] / 1.5
    for share in (1, 2):
        assert found["noise, σ = 20"][share] > 2 * found["noise, σ = 20"][0]
        assert found["quarter turn"][share] > 0.9
    assert found["the noise smoothed"][1] < 0.7 * found["noise, σ = 20"][1]
    assert found["the noise smoothed"][2] > 0.9 * found["noise, σ = 20"][2]
