"""Train the bundled model from nothing, stage by stage.

    python labs/models/train.py --stage drawings --work DIR
    python labs/models/train.py --stage vae      --work DIR [--resume]
    python labs/models/train.py --stage judge    --work DIR [--resume]
    python labs/models/train.py --stage unet     --work DIR [--resume]
    python labs/models/train.py --stage export   --work DIR
    python labs/models/train.py --stage evaluate --work DIR

``vae`` and ``judge`` need ``drawings`` and can run side by side; ``unet`` needs ``vae``.
``--processes 2`` splits each batch over two cores.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import timedelta
from pathlib import Path

TRAIN_COUNT, TRAIN_SEED = 40_000, 1
HELD_OUT_COUNT, HELD_OUT_SEED = 2_048, 2
STAGES = ("drawings", "vae", "judge", "unet", "export", "evaluate")
TRAINED_STAGES = ("vae", "judge", "unet")


def prepare_drawings(work: Path) -> None:
    import numpy as np
    from drawings import make_drawings

    for name, count, seed in (
        ("held_out", HELD_OUT_COUNT, HELD_OUT_SEED),
        ("train", TRAIN_COUNT, TRAIN_SEED),
    ):
        made = make_drawings(count, seed)
        np.save(work / f"{name}_pixels.npy", made.pixels)
        np.save(work / f"{name}_attributes.npy", made.attributes)
        print(f"{name}: {count} drawings", flush=True)


def record_seconds(work: Path, stage: str, seconds: float) -> None:
    """Keep the wall time of each stage in ``work/seconds.json``, for the evaluation's report."""
    path = work / "seconds.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known[stage] = round(seconds, 1)
    path.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def run_stage(rank: int, arguments: argparse.Namespace) -> None:
    """One process's part of a stage; several together only for the training stages."""
    import torch
    from torch import distributed
    from training import pid_file

    work: Path = arguments.work
    torch.set_num_threads(arguments.threads)
    if arguments.processes > 1:
        distributed.init_process_group(
            "gloo",
            init_method=f"file://{(work / 'rendezvous').resolve()}",
            rank=rank,
            world_size=arguments.processes,
            timeout=timedelta(days=1),
        )
    extra = {} if arguments.steps is None else {"steps": arguments.steps}
    name = arguments.stage if rank == 0 else f"{arguments.stage}-{rank}"
    seconds: float | None = None
    with pid_file(work, name):
        started = time.monotonic()
        if arguments.stage == "drawings":
            prepare_drawings(work)
        elif arguments.stage == "vae":
            from train_vae import train_vae

            seconds = train_vae(work, arguments.resume, **extra)
        elif arguments.stage == "judge":
            from train_judge import train_judge

            seconds = train_judge(work, arguments.resume, **extra)
        elif arguments.stage == "unet":
            from train_unet import train_unet

            seconds = train_unet(work, arguments.resume, **extra)
        elif arguments.stage == "export":
            from export import export

            export(work, arguments.out)
        else:
            from quality import evaluate

            evaluate(work, arguments.out)
        if rank == 0:
            record_seconds(work, arguments.stage, seconds or time.monotonic() - started)
    if arguments.processes > 1:
        distributed.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", choices=STAGES, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder for drawings, checkpoints")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="export folder")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument(
        "--threads", type=int, default=1, help="torch threads a process (default 1)"
    )
    parser.add_argument(
        "--processes", type=int, default=1, help="processes that share each batch (default 1)"
    )
    parser.add_argument("--steps", type=int, help="optimiser steps, if not the stage's own")
    arguments = parser.parse_args()
    if arguments.processes > 1 and arguments.stage not in TRAINED_STAGES:
        parser.error(f"--processes is for {', '.join(TRAINED_STAGES)}")
    arguments.work.mkdir(parents=True, exist_ok=True)
    if arguments.processes == 1:
        run_stage(0, arguments)
        return
    from torch.multiprocessing import start_processes

    # A rendezvous file left by a killed run would make the new processes wait for ever.
    (arguments.work / "rendezvous").unlink(missing_ok=True)
    start_processes(run_stage, args=(arguments,), nprocs=arguments.processes, start_method="spawn")


if __name__ == "__main__":
    main()
