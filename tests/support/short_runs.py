"""Prompts and hyperparameters of the short runs that unit tests share."""

PROMPTS = ["a photo of a {}", "a sketch of a {}", "my picture of a {}"]

HYPERPARAMETERS = {
    "variant": "end-to-end",
    "epochs": 1,
    "batch_size": 32,
    "lr": 3.0e-4,
    "weight_decay": 0.1,
    "warmup": 0.1,
    "label_smoothing": 0.0,
    "grad_clip_norm": 1.0,
    "min_crop_area": 0.9,
    "seed": 1,
}

RUNS = {
    "a": {},
    "b": {"seed": 2, "lr": 5.0e-4},
    "linear": {"variant": "linear-classifier", "epochs": 2, "lr": 3.0e-2},
    "scratch": {
        "variant": "from-scratch",
        "images": 64,
        "architecture": {
            "library": "timm",
            "name": "resnet18",
            "options": {
                "layers": [1, 1, 1, 1],
                "channels": [8, 16, 16, 16],
                "stem_type": "deep",
                "stem_width": 8,
            },
        },
    },
}


def run_spec(name: str) -> dict:
    from stockpot.config.training_runs import with_options

    return with_options({"name": name, **HYPERPARAMETERS, **RUNS[name]})
