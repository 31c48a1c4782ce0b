"""The rule that makes the weights of the embedded model, at the scale of two steps."""

from collections import Counter

from tests.support.workflow import copy_project, write_images


def test_weights_are_trained_and_used(finished, warm, tmp_path):
    study = warm(copy_project(tmp_path))
    write_images(study.folder / "own")
    study.edit(
        lambda c: c.update(
            model={"pretrain": True},
            pretraining={"steps": 2, "batch_size": 8, "warmup": 1},
        )
    )
    jobs, _ = study.run("--until", "zero_shot")
    assert jobs["pretrain"] == jobs["zero_shot"] == 1
    (folder,) = (study.results / "models").iterdir()
    assert [path.name for path in folder.iterdir()] == ["open_clip_model.safetensors"]
    assert study.zero_shot_tower() != finished.zero_shot_tower()
    assert "step 2/2" in next(study.results.glob("logs/pretrain/*.log")).read_text()
    assert study.run("--until", "zero_shot") == (Counter(), 0)
