"""A small model with a start, which tests of the loss share."""

import copy

import pytest
import torch

EXAMPLES, CLASSES = 12, 5


@pytest.fixture
def small_problem():
    """Model, start, images and labels."""
    torch.manual_seed(0)
    start = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, CLASSES)
    )
    model = copy.deepcopy(start)
    with torch.no_grad():
        for p in model.parameters():
            p += 0.1 * torch.randn(p.shape)
    return model, start, torch.randn(EXAMPLES, 4), torch.randint(CLASSES, (EXAMPLES,))
