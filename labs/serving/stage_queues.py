"""stage-queues: encode, denoise and decode with bounded queues, under requests that do not wait."""

from __future__ import annotations

import gc
import random
import time
import weakref
from pathlib import Path
from typing import Any

from drill.lab import Context, Experiment, Param, Result, Transfers
from drill.lab.loading import load_module
from drill.lab.timing import synchronise

claims = load_module(Path(__file__).with_name("queue_claims.py"))
PROMPT = "a small red star on a blue background"
CANCELLED_SHARE = 5
"""One request in so many is cancelled, at a random moment of its expected stay."""
PATIENCE, FEWEST = 8.0, 15
"""Seconds that arrivals at one load may take, and requests that there are in any case."""
SIMULATED = 200_000
"""Requests of the simulation that continues the curve."""
LOADS = (0.5, 0.7, 0.8, 0.9, 0.95)


class StageQueues(Experiment):
    name = "stage-queues"
    params = (
        Param("loads", "floats", (0.5, 2), "arrivals over what denoising can serve", 0.1, 5, 1, 6),
        Param("requests", "int", 40, "requests at each load, fewer on a slow machine", 15, 1000),
        Param("steps", "int", 6, "denoising steps of a request", low=2, high=50),
        Param("bound", "int", 4, "longest that each queue may get", low=1, high=100),
        Param("slots", "int", 6, "requests that may be in flight at once", low=1, high=200),
    )
    claims = claims.CLAIMS
    outcomes = ("grows_most", "overload_refused", "leaked", "steps_after_cancel", "wait_90_over_50")
    seconds = 240

    def warm(self, context: Context) -> None:
        context.pipeline()

    def run(self, context: Context) -> Result:
        given = context.params
        service = load_module(Path(__file__).with_name("service.py"))
        context.progress(0, 1, "loading the model")
        kitchen = Kitchen(context, service)
        kitchen.cook_alone(2)
        alone = kitchen.cook_alone(6)
        levels = []
        loads = sorted(set(given["loads"]))
        for done, load in enumerate(loads):
            context.progress(done, len(loads), f"requests at {load:g} times the capacity")
            # What denoising can serve now: a busy machine changes it from minute to minute.
            rate = load / kitchen.denoise_seconds()
            levels.append({"asked": load, **self.level(context, service, kitchen, rate)})
        context.progress(len(loads), len(loads), "measuring")
        services = [each for level in levels for each in level.pop("denoise_each")]
        metrics: dict[str, Any] = {
            "levels": levels,
            "alone_seconds": alone,
            "bound": given["bound"],
            "slots": given["slots"],
            "requests": given["requests"],
            "simulated": self.simulate(context, service, services),
        }
        show(context, metrics)
        return Result(metrics, claims.outcomes(metrics), claims.sentence(metrics), transfers())

    def level(
        self, context: Context, service: Any, kitchen: Kitchen, rate: float
    ) -> dict[str, Any]:
        """One load: an open process of arrivals, which come when they come."""
        given = context.params
        dice = random.Random(context.seed)
        requests, plan, now = [], [], 0.0
        for number in range(max(FEWEST, min(given["requests"], int(rate * PATIENCE)))):
            now += dice.expovariate(rate)
            request = service.Request(number)
            requests.append(request)
            plan.append((now, "arrive", request))
            if number % CANCELLED_SHARE == CANCELLED_SHARE - 1:
                stay = dice.uniform(0, 1) * kitchen.stay
                plan.append((now + stay, "cancel", request))
        plan.sort(key=lambda entry: entry[0])
        shop = service.Service(kitchen.stages(), bound=given["bound"], slots=given["slots"])
        with shop:
            opened = shop.clock()
            for at, what, request in plan:
                while (left := opened + at - shop.clock()) > 0:
                    time.sleep(min(left, 0.05))
                    context.check()
                if what == "cancel":
                    request.cancel()
                else:
                    request.due = opened + at
                    shop.submit(request, PROMPT)
                    context.metric(f"waiting at {rate:.1f}/s", len(shop.lines["denoise"]), at)
        gc.collect()
        return claims.level_numbers(service, shop, requests, rate, kitchen.alive())

    @staticmethod
    def simulate(context: Context, service: Any, services: list[float]) -> list[dict[str, float]]:
        """Mean wait over mean service by load, from the service times that were measured."""
        dice = random.Random(context.seed)
        mean = sum(services) / len(services)
        drawn = [dice.choice(services) for _ in range(SIMULATED)]
        unit = [dice.expovariate(1.0) for _ in range(SIMULATED)]
        return [
            {
                "load": load,
                "wait": service.mean_wait((gap * mean / load for gap in unit), drawn) / mean,
                "formula": service.pollaczek_khinchine(load, services) / mean,
            }
            for load in LOADS
        ]


class Kitchen:
    """The three stages over one pipeline's modules, with a scheduler for each request."""

    def __init__(self, context: Context, service: Any) -> None:
        self.context, self.service = context, service
        self.pipe = context.pipeline()
        self.steps = context.params["steps"]
        self.stay = 0.0
        """Seconds of a request alone."""
        self._made: list[Any] = []

    def stages(self) -> dict[str, Any]:
        return {"encode": self.encode, "denoise": self.denoise, "decode": self.decode}

    def encode(self, request: Any, prompt: str) -> Any:
        """States of the empty text and of the prompt, (2, L, D)."""
        import torch

        with torch.inference_mode():
            device = self.pipe.unet.device
            states, empty = self.pipe.encode_prompt([prompt], device, 1, True, [""])
            joined = torch.cat([empty, states])
        synchronise(self.context.device)
        return joined

    def denoise(self, request: Any, states: Any) -> Any:
        """Latents (1, c, h, w); between two steps the request may be cancelled."""
        import torch

        pipe = self.pipe
        scheduler = pipe.scheduler.from_config(pipe.scheduler.config)
        scheduler.set_timesteps(self.steps)
        size, channels = pipe.unet.config.sample_size, pipe.unet.config.in_channels
        generator = torch.Generator().manual_seed(request.number)
        with torch.inference_mode():
            latents = torch.randn((1, channels, size, size), generator=generator)
            latents = latents.to(states) * scheduler.init_noise_sigma
            for t in scheduler.timesteps:
                request.check()
                sample = scheduler.scale_model_input(torch.cat([latents] * 2), t)
                empty, text = pipe.unet(sample, t, states, return_dict=False)[0].chunk(2)
                latents = scheduler.step(empty + 5.0 * (text - empty), t, latents).prev_sample
                synchronise(self.context.device)  # a step that was only queued is not done
                request.steps += 1
        self._made.append(weakref.ref(latents))
        return latents

    def decode(self, request: Any, latents: Any) -> Any:
        """Bytes of a picture (H, W, 3)."""
        import torch

        from drill.lab.pictures import to_bytes
        from drill.lab.sampling import decode, to_pixels

        request.decoded = True
        with torch.inference_mode():
            return to_bytes(to_pixels(decode(self.pipe, latents)))[0]

    def cook_alone(self, count: int) -> float:
        """Mean seconds of a request when nothing else runs; also the warm-up."""
        started = time.perf_counter()
        for number in range(count):
            request = self.service.Request(number)
            self.decode(request, self.denoise(request, self.encode(request, PROMPT)))
            self.context.check()
        self.stay = (time.perf_counter() - started) / count
        return self.stay

    def denoise_seconds(self) -> float:
        """Median seconds of the denoising stage alone, now."""
        states = self.encode(None, PROMPT)
        times = []
        for number in range(5):
            started = time.perf_counter()
            self.denoise(self.service.Request(number), states)
            times.append(time.perf_counter() - started)
            self.context.check()
        return sorted(times)[2]

    def alive(self) -> int:
        """Latents that somebody still holds."""
        return sum(each() is not None for each in self._made)


def show(context: Context, metrics: dict[str, Any]) -> None:
    simulated = metrics["simulated"]
    context.plot(
        "waiting",
        {
            "simulated from measured times": [(e["load"], e["wait"]) for e in simulated],
            "Pollaczek-Khinchine": [(e["load"], e["formula"]) for e in simulated],
        },
        "load",
        "mean wait over mean service",
    )
    context.plot(
        "live",
        {
            name: [(level["load"], level[name]) for level in metrics["levels"]]
            for name in ("waited_median", "worked_median")
        },
        "load, as it came out",
        "seconds",
    )


def transfers() -> Transfers:
    return Transfers(
        "yes",
        "Queues do not know what they serve: waiting explodes towards full load, a bound turns it "
        "into refusals, a cancelled request costs one more step. Seconds and the place of the knee "
        "are yours to measure; stages of a real service often have a device each.",
    )


EXPERIMENTS = (StageQueues(),)
