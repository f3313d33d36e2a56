"""Which device an experiment runs on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path


class DeviceError(ValueError):
    """A device that torch does not have here."""


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_threads() -> int:
    """All usable cores but one, which is left to the terminal.

    Two threads beside another busy process were seen to take over 20 times as long as one.
    """
    return max(1, usable_cores() - 1)


def visible_devices() -> list[str]:
    """Devices that can be seen without importing torch: `cpu`, and `cuda` or `mps`."""
    devices = ["cpu"]
    if Path("/dev/nvidiactl").exists() or Path("/dev/kfd").exists():
        devices.append("cuda")
    if sys.platform == "darwin" and platform.machine() == "arm64":
        devices.append("mps")
    return devices


def torch_devices() -> list[str]:
    """Devices that the installed torch takes; imports torch."""
    import torch

    devices = ["cpu"]
    devices += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return devices


def pick_device(wanted: str) -> str:
    """The device for `wanted`: `auto` takes the first accelerator, else the CPU.

    Raises DeviceError for a device that torch does not have here.
    """
    devices = torch_devices()
    if wanted == "auto":
        return devices[1] if len(devices) > 1 else "cpu"
    chosen = "cuda:0" if wanted == "cuda" else wanted
    if chosen not in devices:
        raise DeviceError(f"no device {wanted!r} here; torch has {', '.join(devices)}")
    return chosen


def device_name(device: str) -> str:
    """A device as it is shown and recorded: its id and, where known, the product's name."""
    if device.startswith("cuda"):
        import torch

        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device != "cpu":
        return device
    threads = worker_threads()
    return f"{device} ({_processor()}, {threads} thread{'s' * (threads != 1)})"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
