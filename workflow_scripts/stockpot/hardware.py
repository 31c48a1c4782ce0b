"""What the machine has, found out without torch."""

from pathlib import Path


def has_gpu() -> bool:
    """Is the NVIDIA driver loaded here?"""
    return Path("/dev/nvidiactl").exists()
