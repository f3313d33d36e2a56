"""How people write the symbols of the field, mapped to the variables that a question names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

GREEK: Mapping[str, str] = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "ϵ": "epsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "φ": "phi",
    "ϕ": "phi",
    "χ": "chi",
    "ψ": "psi",
    "ω": "omega",
    "Δ": "Delta",
    "Σ": "Sigma",
    "∅": "null",
}

_AB = ("ab", "abar", "alphabar", "baralpha", "alphacumprod", "alphascumprod", "alphaprod", "acp")
_EPS = ("eps", "epsilon", "e", "noise", "noisepred", "epspred", "epsilonpred", "modeloutput")
_COND = ("c", "cond", "text", "conditional", "pos", "positive", "prompt")
_UNCOND = ("u", "uncond", "unconditional", "null", "empty", "neg", "negative")


def _joined(stems: Iterable[str], tails: Iterable[str]) -> tuple[str, ...]:
    tails = tuple(tails)
    return tuple(stem + tail for stem in stems for tail in tails)


_PREV = ("prev", "tm1", "tprev", "s", "prevt", "prevtimestep", "next")

_GROUPS: tuple[tuple[str, ...], ...] = (
    _AB,
    _joined((*_AB, "alphaprodt"), _PREV),
    (*_EPS, "epshat", "epsilonhat", "ehat", "epstheta", "epsilontheta", "noiseprediction"),
    (*_joined((*_EPS, "epstheta", "epsilontheta"), _COND), "cond", "textpred"),
    (*_joined((*_EPS, "epstheta", "epsilontheta"), _UNCOND), "uncond"),
    (
        "x0",
        "x",
        "xzero",
        "x0hat",
        "xhat0",
        "x0pred",
        "predx0",
        "predoriginalsample",
        "z0",
        "xstart",
    ),
    ("xt", "x", "zt", "sample", "latent", "latents", "noisysample", "noisylatents"),
    ("xprev", "xtm1", "xtprev", "prevsample", "zprev", "ztm1", "xs"),
    ("v", "vpred", "velocity", "vprediction", "vtheta", "vhat"),
    ("s", "scale", "guidancescale", "guidance", "cfgscale", "cfg"),
    ("w", "guidanceweight", "weight"),
    ("sigma", "sig", "std", "sigmahat"),
    ("sigmaprev", "sigmanext", "sigtm1", "sigmatm1", "sigmatp1", "sigmatonext"),
    ("alpha", "a"),
    ("beta", "b"),
    ("snr",),
    ("lam", "lambda", "lmbda"),
    ("r", "rank"),
    ("din", "infeatures", "dinput"),
    ("dout", "outfeatures", "doutput"),
    ("n", "steps", "numsteps", "numinferencesteps", "nsteps"),
    ("h", "height"),
    ("gamma", "snrgamma"),
    ("z", "noise", "variancenoise"),
    ("f", "downsamplefactor", "vaescalefactor"),
)
"""Names in normal form (lower case, no underscores, no `t` at the end) that mean one thing."""


def normal_form(name: str) -> str:
    """Return a name in lower case, without underscores and without a subscript `t`.

    >>> normal_form("alphas_cumprod_t")
    'alphascumprod'
    """
    plain = name.replace("_", "").casefold()
    if re.search(r"_t$", name) and plain not in ("xt", "zt"):
        return plain[:-1]
    return plain


def spellings(variables: Iterable[str]) -> dict[str, str]:
    """Map the normal forms of every accepted spelling to the variable it means.

    A spelling that could mean two of the variables maps to neither, and the variables' own
    names come before any other reading.
    """
    names = list(variables)
    own = {normal_form(name): name for name in names}
    if len(own) < len(names):
        own = {name.replace("_", ""): name for name in names}
    found: dict[str, set[str]] = {}
    for name in names:
        form = normal_form(name)
        for group in _GROUPS:
            if form in group:
                for spelling in group:
                    found.setdefault(spelling, set()).add(name)
    mapped = {spelling: next(iter(who)) for spelling, who in found.items() if len(who) == 1}
    # `αt` and `alphabart` carry the subscript without an underscore.
    for spelling, who in list(mapped.items()):
        mapped.setdefault(f"{spelling}t", who)
    for form, name in own.items():
        mapped.setdefault(f"{form}t", name)
    return mapped | own
