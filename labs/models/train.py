"""Train the bundled model from nothing, stage by stage.

    python labs/models/train.py --stage drawings --work DIR
    python labs/models/train.py --stage vae      --work DIR [--resume]
    python labs/models/train.py --stage judge    --work DIR [--resume]
    python labs/models/train.py --stage unet     --work DIR [--resume]
    python labs/models/train.py --stage export   --work DIR
    python labs/models/train.py --stage evaluate --work DIR
    python labs/models/train.py --stage family   --work DIR
    python labs/models/train.py --stage evaluate-family --work DIR

``vae`` and ``judge`` need ``drawings`` and can run side by side; ``unet`` needs ``vae``.
``--processes 2`` splits each batch over two cores. ``family`` trains what is missing of the models
beside the base and exports each; it needs ``drawings`` and the exported base, and trains as many of
them side by side as there are ``--processes``. Each of them is a stage of its own too, by its name.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import timedelta
from pathlib import Path

TRAIN_COUNT, TRAIN_SEED = 40_000, 1
HELD_OUT_COUNT, HELD_OUT_SEED = 2_048, 2
STAGES = ("drawings", "vae", "judge", "unet", "export", "evaluate", "family", "evaluate-family")
TRAINED_STAGES = ("vae", "judge", "unet", "family")
# In the order in which ``family`` trains them; the last needs the one before it.
FAMILY = (
    "targets-epsilon",
    "targets-sample",
    "targets-v",
    "targets-v-zero-snr",
    "controlnet",
    "lora",
    "flow",
    "dit",
    "image-encoder",
    "ip-adapter",
)


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
        elif arguments.stage in FAMILY:
            from train_family import sources_of, train_member

            sources = sources_of(work, arguments.out)
            seconds = train_member(
                arguments.stage, sources, arguments.resume, device=arguments.device, **extra
            )
        elif arguments.stage == "export":
            from export import export

            export(work, arguments.out)
        elif arguments.stage == "evaluate-family":
            from family_quality import evaluate_family

            evaluate_family(work, arguments.out)
        else:
            from quality import evaluate

            evaluate(work, arguments.out)
        # What the family took stands in its checkpoints.
        if rank == 0 and arguments.stage not in (*FAMILY, "evaluate-family"):
            record_seconds(work, arguments.stage, seconds or time.monotonic() - started)
    if arguments.processes > 1:
        distributed.destroy_process_group()


def start(arguments: argparse.Namespace) -> None:
    """Run a stage, in as many processes as asked for."""
    if arguments.processes == 1:
        run_stage(0, arguments)
        return
    from torch.multiprocessing import start_processes

    # A rendezvous file left by a killed run would make the new processes wait for ever.
    (arguments.work / "rendezvous").unlink(missing_ok=True)
    start_processes(run_stage, args=(arguments,), nprocs=arguments.processes, start_method="spawn")


def start_member(name: str, arguments: argparse.Namespace) -> None:
    """Train one of the family, unless its checkpoint is finished, and export it."""
    import torch
    from family_export import export_member
    from train_family import MEMBERS, prepare, sources_of, steps_done

    torch.set_num_threads(arguments.threads * arguments.processes)
    sources = sources_of(arguments.work, arguments.out)
    prepare(name, sources)
    steps = arguments.steps or MEMBERS[name].settings.steps
    if not arguments.resume or steps_done(name, sources) < steps:
        start(argparse.Namespace(**{**vars(arguments), "stage": name}))
    export_member(name, sources, arguments.out)


def train_family(arguments: argparse.Namespace) -> bool:
    """Train and export what is missing of the family, ``processes`` members side by side, each in a
    process of its own. Says whether all went well."""
    import subprocess
    import sys
    from concurrent.futures import ThreadPoolExecutor

    from train_family import prepare, sources_of

    for name in FAMILY:
        prepare(name, sources_of(arguments.work, arguments.out))
    command = [sys.executable, __file__, "--resume", "--work", str(arguments.work)]
    command += ["--out", str(arguments.out), "--device", arguments.device]
    command += ["--threads", str(arguments.threads)]
    if arguments.steps is not None:
        command += ["--steps", str(arguments.steps)]

    def in_turn(names: tuple[str, ...]) -> bool:
        return all(subprocess.run([*command, "--stage", each]).returncode == 0 for each in names)

    units = [*((name,) for name in FAMILY[:-2]), FAMILY[-2:]]
    with ThreadPoolExecutor(arguments.processes) as pool:
        return all(list(pool.map(in_turn, units)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", choices=(*STAGES, *FAMILY), required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder for drawings, checkpoints")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="export folder")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument(
        "--threads", type=int, default=1, help="torch threads a process (default 1)"
    )
    parser.add_argument(
        "--processes", type=int, default=1, help="processes that share each batch (default 1)"
    )
    parser.add_argument("--device", default="cpu", help="of the family's training (default cpu)")
    parser.add_argument("--steps", type=int, help="optimiser steps, if not the stage's own")
    arguments = parser.parse_args()
    if arguments.processes > 1 and arguments.stage not in (*TRAINED_STAGES, *FAMILY):
        parser.error(f"--processes is for {', '.join((*TRAINED_STAGES, *FAMILY))}")
    arguments.work.mkdir(parents=True, exist_ok=True)
    if arguments.stage == "family":
        if not train_family(arguments):
            raise SystemExit("some of the family failed; the same command goes on where it stopped")
    elif arguments.stage in FAMILY:
        start_member(arguments.stage, arguments)
    else:
        start(arguments)


if __name__ == "__main__":
    main()
