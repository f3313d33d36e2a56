"""Spelling correction towards the field's vocabulary, for words that are no known words.

Only words of five letters or more are touched and the first letter must be right, so that a short
name never becomes another (DDIM and DDPM) and a word never becomes its opposite (`conditional`
and `unconditional`).
"""

from __future__ import annotations

from functools import lru_cache

from drill.domain.rubric.words import inflections

SHORTEST = 5
LONG = 9
"""From this length two edits are forgiven, below it one."""

_DOMAIN = """
absolute accelerate accuracy accurate activation adapter adaptive adding additional adherence
adversarial algebra algorithm aligned alpha amplify another answer approximate architecture
artifact artifacts attention autoencoder average backbone backward balance batch batches batching
because before between bigger block blocks blurry bottleneck branch buffer cache caching calculate
canny caption change channel channels cheaper checker checkpoint classifier clean closed collapse
combination combine compile component compress compression compute concept condition conditional
conditioning consistency constant continuous contrast control controlnet converge conversion
convert convolution convolutional corrupt correlation create cross cumulative custom dataset
decode decoder decoding decrease default delta denoise denoiser denoising density depth derivative
describe description destroy detail details determine deterministic deviation different difference
diffuser diffusers diffusion dimension direct direction directly discriminator distance distill
distillation distilled distribution diverse diversity domain double downsample driver dropout
dropped during dynamic edges efficient element embedding embeddings empty encode encoder encoding
entropy epsilon equal equation equivalent error estimate estimation evaluate evaluation every
exactly example expensive explode exponential extra extrapolate factor faster feature features
fewer filter fixed flash float follow forward freeze frozen fusion gaussian generate generation
generative generator gradient gradually guidance guide half higher identity image images improve
increase independent inference infinity initial inject input inputs integrate integrator
interpolate interpolation inverse inversion invert iteration iterative kernel kernels keyword label
large larger latency latent latents layer layers learn learned learning length level license light
likelihood limit linear linearly load local logit lossy lower machine manifold marginal mask
matches matrix matrices maximum measure memory merge method metric middle minimum mixture model
models modality modulate module momentum monitor multiple multiply multistep negative network
neural noise noises noisy nonlinear normal normalization normalize number numerical objective
offload operation opposite optimal optimization optimize optimizer order original output outputs
overfit padding parallel parameter parameters patch patches percentile perceptual performance
picture pictures pipeline pixel pixels pooled position positive posterior power precision predict
predicted prediction predictions predictor pretrained previous prior probability problem process
produce product production progressive projection prompt prompts provide quality quantization
quantize queries query queue random randomly range reconstruct reconstruction reduce reference
refine region regression regular release remove removed repeat replace represent representation
request requests require resample residual resolution response result retrain return reverse rotary
running safety sample sampler samplers samples sampling saturation saturate scale scaled scaling
scheduler schedule score screen second segmentation select semantic separate sequence sequential
shape sharing shared sharp shift sigma sigmas signal similar simple simulate single skipped slicing
slower small smaller softmax solver space spatial speed square squared stable standard start
starting state static steps stochastic storage straight strength structure student style subtract
supervise surface swapped symmetric system target teacher technique temperature tensor terminal
text texture think threshold through throttle throughput tiling timestep timesteps token tokenize
tokenizer tokens trade trained trainable training trajectory transform transformer translate
truncate twice typical uncertainty unconditional uniform uniformly update updated upsample
utilization validate value values vanish variable variance variation variational vector vectors
velocity version video vision warmup watermark weight weights weighted window without words
"""
# Ordinary words one or two letters from a word above: read as themselves.
_ORDINARY = """
about accelerator adapted addition additive again approximants assigned averager black bland blank
blend blind brand bright brush bunch catch cause caution chance checked choice clash clear clearly
close closer closes coarse compares compilation compiler compilers complete computer consistent
constraint contiguous contract contrary convention convergent conversation correction could coverage
crash crops decide denser descriptor detection dimensional directional directory discriminated
distinct driven dynamical efficiency eight equivalence expansile factory fender fight fired first
fixes fixtures flesh flight flush gender grade great green greet group grown guard guess guest
guider height identify inertial infinite influence initiate insert insertion integral integrals
interaction interactive keyboard lager later latest learner lender linearity locale logic login
machinery matched matcher matching medal mender mental merger merit metal might minor mixed modal
modem modern modes month moral motel motor mount mouse mouth movie multiplier multiset music never
night noisier normalizer numerics often older operating operator optional other paint pause
percentage phase pitch pizza place plain plane plant plate point pooler positional pound predicate
press pretrain price pride prime print prize proceeds processor progress projecting projector proof
proud prove provider providers quantizer quantizers queen quest quick quiet quite radio raise reach
react reader ready really reason recent record refer regressive reject relate relief remain remind
remote render rendered repair repeal report representative rescue resist resolved resort retain
retire reveal review reward right rounding safely scanning scare scene scope selector sender senses
sentence separable separator shall shame sharded sharding shares sharpen sharper should sight simply
since sliding slight smallest smell social solve solved solves sound source spade spare speech spell
spoken spread spring stack stacking stage standing staple stars stats statue status steady steal
steep stick still stolen stone stops store story stream street stress stretch strict strike string
strip stripped strong structural stuck studio study stuff submit sudden suffer suitable sunny super
supply surely surge survey swear sweep sweet swing switch symmetries symmetry table tackle taken
talent taste teach tender tennis terminate thank theft their theme theory there these thick thing
thirty those though thread threat three throughout ticket tight timestamp timestamps timing tissue
title topic touch tough toward tower trace traceable track tracking trail trailing trainer transfer
transport travel tread treat treaty trend trial tribal trick tries truck trust truth twelve twenty
unable under union unique unite unity unless unlike until upper upset urban usage useful usual vague
valid validation validator validity variants vendor versus victim visit visual vital voice volume
waste watch water wealth weather weekly weigh wheel where which while white whole whose winner
winter woman wonder worker works world worry worse worst worth would wound write wrong yield young
"""

_VOCABULARY = frozenset(word for word in _DOMAIN.split() if len(word) >= SHORTEST)
_KNOWN = frozenset(_DOMAIN.split()) | frozenset(_ORDINARY.split())


def _is_known(word: str, extra: frozenset[str]) -> bool:
    return (
        word in _KNOWN
        or word in extra
        or not _KNOWN.isdisjoint(inflections(word))
        or not extra.isdisjoint(inflections(word))
    )


@lru_cache(maxsize=8192)
def correct(word: str, extra: frozenset[str] = frozenset()) -> str:
    """The known word that `word` misspells, or `word` itself.

    `extra` is the vocabulary of the question, beside the field's own. A word that is as close to
    two different words is left alone.
    """
    if len(word) < SHORTEST or not (word.isascii() and word.isalpha()) or _is_known(word, extra):
        return word
    from rapidfuzz.distance import OSA  # on first need: start-up time

    allowed = 2 if len(word) >= LONG else 1
    best: list[str] = []
    for candidate in _by_start(extra).get(word[0], ()):
        if abs(len(candidate) - len(word)) > allowed or len(candidate) < SHORTEST:
            continue
        distance = OSA.distance(word, candidate, score_cutoff=allowed)
        if distance < allowed or not best:
            if distance <= allowed:
                best, allowed = [candidate], distance
        elif distance == allowed:
            best.append(candidate)
    if not best:
        return word
    bases = {min(inflections(b) | {b}, key=len) for b in best}
    return best[0] if len(bases) == 1 else word


@lru_cache(maxsize=256)
def _by_start(extra: frozenset[str]) -> dict[str, tuple[str, ...]]:
    starts: dict[str, list[str]] = {}
    for word in sorted(_VOCABULARY | {w for w in extra if len(w) >= SHORTEST}):
        starts.setdefault(word[0], []).append(word)
    return {letter: tuple(words) for letter, words in starts.items()}
