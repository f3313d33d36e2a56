"""Word families of English and of the field: which other words a token may stand for.

A token is read at four levels. `EXACT` is the token itself. `FAMILY` adds inflections, spelling
variants and abbreviations, which change no meaning. `SYNONYM` adds words that say the same in
this field. The opposite of a word is never in its family.
"""

from __future__ import annotations

from functools import lru_cache

EXACT, FAMILY, SPELLING, SYNONYM = 0, 1, 2, 3

_IRREGULAR = """
begin began begun|break broke broken|bring brought|build built|buy bought|catch caught
choose chose chosen|come came|cut cut|deal dealt|dig dug digging|do did done does|draw drew drawn
drive drove driven|eat ate eaten|fall fell fallen|feed fed|feel felt|fight fought|find found
forget forgot forgotten|freeze froze frozen|get got gotten getting|give gave given|go went gone goes
grow grew grown|have had has|hide hid hidden|hold held|keep kept|know knew known|lead led
learn learnt|leave left|lend lent|let letting|lose lost losing|make made|mean meant|meet met
pay paid|put putting|read reading|rise rose risen|run ran running|say said|see saw seen
send sent|set setting|shake shook|show shown|shrink shrank shrunk|sink sank|sleep slept
speak spoke spoken|spend spent|split splitting|spread spreading|stand stood|steal stole
stick stuck|take took taken|teach taught|tell told|think thought|throw threw thrown
understand understood|undo undone undid undoes|wake woke|wear wore worn|win won|write wrote written
hit hitting|fit fitting fitted|swap swapping swapped|skip skipping|add adding added|die died dying
matrix matrices|vertex vertices|index indices|axis axes|datum data|bias biases|quality qualities
man men|person people|child children|half halves|image images
"""
_ABBREVIATIONS = """
img=image imgs=images pic=picture pics=pictures pred=prediction preds=predictions nn=network
embed=embedding embeds=embeddings emb=embedding embs=embeddings attn=attention xattn=attention
ctx=context param=parameter params=parameters neg=negative pos=positive mem=memory req=request
reqs=requests ckpt=checkpoint config=configuration cfgs=cfg cond=conditional uncond=unconditional
res=resolution conv=convolution convs=convolutions combo=combination temp=temperature
dims=dimensions dim=dimension perf=performance util=utilization utils=utilization avg=average
approx=approximately info=information diff=difference diffs=differences init=initial
iters=iterations iter=iteration max=maximum min=minimum pt=point seq=sequence proc=process
prob=probability probs=probabilities rand=random repo=repository sched=scheduler spec=specification
ts=timesteps vec=vector vecs=vectors weighs=weights optim=optimizer mult=multiply
norm=normalization ops=operations op=operation feat=feature feats=features enc=encoder dec=decoder
quant=quantization gens=generations gen=generation num=number sec=seconds secs=seconds
dist=distribution distro=distribution distrib=distribution thru=through bc=because cuz=because
pix=pixels px=pixels reso=resolution ref=reference refs=references orig=original prev=previous
promt=prompt
eq=equation calc=calculate incl=including uncon=uncond
"""
_SUBSCRIPTS = {
    "c": "cond", "cond": "cond", "text": "cond", "txt": "cond", "y": "cond", "p": "cond",
    "pos": "positive", "u": "uncond", "uncond": "uncond", "un": "uncond", "null": "uncond",
    "empty": "uncond", "neg": "negative",
}  # fmt: skip
"""What a subscript of a predicted noise means; `e_u` and `eps_c` are the field's shorthand."""

SYNONYM_GROUPS: tuple[str, ...] = (
    "noise static grain",
    "image picture photo photograph drawing painting",
    "step iteration evaluation round",
    "network net",
    "remove delete eliminate erase strip subtract peel scrub discard take-out take-away take-off "
    "takes-out takes-off takes-away taking-out taking-away taken-out get-rid gets-rid getting-rid "
    "clean-up cleans-up cleaning-up filter-out filters-out wash-out wipe-away",
    "subtract minus",
    "add inject insert mix-in mixed-in mixes-in mixing-in put-in blend-in",
    "increase raise boost grow rise climb go-up goes-up going-up went-up turn-up crank-up",
    "reduce decrease lower shrink drop cut diminish go-down goes-down going-down went-down "
    "turn-down dial-down bring-down",
    "predict estimate guess infer approximate work-out works-out figure-out figures-out "
    "working-out figuring-out",
    "replace substitute swap exchange switch change trade interchange stand-in stands-in",
    "memory vram ram",
    "fast quick rapid speedy",
    "accelerate speed-up speeds-up speeding-up",
    "cheap inexpensive affordable",
    "expensive costly",
    "cost expense",
    "similar alike resemble",
    "diversity variety variation",
    "diverse varied",
    "start begin commence initialize",
    "prompt caption description",
    "follow obey respect adhere stick-to sticks-to sticking-to listen-to listens-to",
    "gradual gradually little-by-little bit-by-bit a-bit-at step-by-step progressively "
    "incrementally over-and-over again-and-again in-stages at-a-time stepwise successively",
    "repeat repeatedly loop iterate iterative over-and-over again-and-again",
    "train teach fit",
    "freeze frozen lock locked untouched unchanged fixed kept-fixed stays-fixed not-updated",
    "copy clone duplicate twin replica",
    "combine mix blend mixture combination interpolation",
    "merge fuse fold bake",
    "convert transform turn-into turns-into",
    "encode embed",
    "use utilize employ",
    "check verify inspect examine",
    "monitor watch track observe",
    "deploy ship release rollout deployment",
    "roll-back rollback revert",
    "limit cap bound constrain restrict",
    "each every all per",
    "twice double 2x doubling",
    "whole entire full complete",
    "small tiny little compact",
    "large big huge",
    "distill distilled student",
    "solver integrator",
    "trajectory path",
    "reverse backward backwards",
    "reverse undo invert",
    "edge outline contour",
    "split divide partition chunk",
    "embedding vector",
    "wait queue backlog",
    "latency delay response-time",
    "throughput images-per-second image-per-second requests-per-second images-per-minute "
    "image-by-second images-by-second imgs-per-second",
    "replica instance worker",
    "steer guide direct control",
    "random stochastic randomly arbitrary",
    "deterministic reproducible repeatable",
    "exaggerate amplify overshoot extrapolate magnify",
    "difference gap delta",
    "request job",
    "slow sluggish",
    "multiply scale times",
    "error mistake",
    "stable robust well-behaved",
    "destroy corrupt degrade ruin",
    "hurt harm damage worsen",
    "improve enhance",
    "compress shrink squeeze",
    "upsample enlarge upscale",
    "weight parameter",
    "learnable trainable",
    "blurry blurred smudged soft",
    "sharp crisp",
    "artifact glitch distortion defect",
    "saturate overcooked burnt fried",
    "average mean",
    "batch batched batching",
    "user customer client",
    "region area",
    "compute computation flops",
    "compute calculate",
    "retrain fine-tune fine-tuned fine-tunes fine-tuning finetune",
    "reuse cache",
    "crash fail",
    "identical same equal",
    "unnecessary unneeded",
    "empty blank null",
    "unconditional unprompted empty-prompt blank-prompt null-prompt without-prompt without-text "
    "without-the-prompt without-the-text without-a-prompt no-prompt no-text without-condition "
    "without-conditioning without-caption empty-string empty-caption empty-text",
    "conditional prompted with-prompt with-text with-the-prompt with-the-text text-conditioned "
    "with-conditioning with-caption with-your-prompt",
    "omit drop leave-out left-out leaving-out blank-out left-blank",
    "clean noise-free undistorted",
    "unsafe harmful inappropriate toxic",
    "filter block reject screen",
    "generate produce create synthesize",
    "choose pick select",
    "need require",
    "final last",
    "keep retain preserve maintain",
    "occur happen",
    "layout composition",
    "alert alarm",
    "sequential one-by-one",
)

_PHRASES: dict[str, str] = {
    "classifier free guidance": "cfg",
    "mean squared error": "mse",
    "mean square error": "mse",
    "signal to noise ratio": "snr",
    "signal to noise": "snr",
    "out of memory": "oom",
    "neural network": "network",
    "neural net": "network",
    "neural nets": "networks",
    "little bit": "little",
    "in place of": "instead",
    "in lieu of": "instead",
    "take the place": "replace",
    "takes the place": "replaces",
    "taking the place": "replacing",
    "vision transformer": "vit",
    "low rank adaptation": "lora",
    "variational autoencoder": "vae",
    "ordinary differential equation": "ode",
    "stochastic differential equation": "sde",
    "two times": "twice",
}


def _pairs(block: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in block.split())


_ABBREVIATED = _pairs(_ABBREVIATIONS)
_LEMMAS: dict[str, tuple[str, ...]] = {}
for _family in _IRREGULAR.replace("\n", "|").split("|"):
    _members = tuple(_family.split())
    for _member in _members:
        _LEMMAS[_member] = _LEMMAS.get(_member, ()) + _members[:1]
PHRASES: dict[tuple[str, ...], str] = {tuple(k.split()): v for k, v in _PHRASES.items()}
"""Runs of words that are one term."""
_GROUPS: dict[str, tuple[str, ...]] = {}
for _group in SYNONYM_GROUPS:
    _words = tuple(_group.split())
    _heads = tuple(word for word in _words if "-" not in word)
    for _word in _words:
        if "-" in _word:
            PHRASES.setdefault(tuple(_word.split("-")), "~" + _heads[0])
        _GROUPS[_word] = _GROUPS.get(_word, ()) + tuple(w for w in _heads if w != _word)
PHRASE_STARTS = frozenset(words[0] for words in PHRASES)
LONGEST_PHRASE = max(map(len, PHRASES))
_VOWELS = frozenset("aeiouy")


@lru_cache(maxsize=16384)
def inflections(word: str) -> frozenset[str]:
    """Base forms that `word` may be an inflection of, `word` left out; no dictionary is needed."""
    found: set[str] = set(_LEMMAS.get(word, ()))
    if word in _ABBREVIATED:
        found.add(_ABBREVIATED[word])
    if len(word) < 4 or not word.isalpha():
        return frozenset(found - {word})
    if word.endswith("ies") and len(word) > 4:
        found.add(word[:-3] + "y")
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        found.add(word[:-1])
        if word.endswith(("ches", "shes", "sses", "xes", "zes")):
            found.add(word[:-2])
    for suffix in ("ing", "ed"):
        stem = word[: -len(suffix)]
        if word.endswith(suffix) and len(stem) >= 3 and _VOWELS & set(stem):
            found.update((stem, stem + "e"))
            if stem[-1] == stem[-2]:
                found.add(stem[:-1])
            if suffix == "ed" and stem.endswith("i"):
                found.add(stem[:-1] + "y")
    if word.endswith("ly") and len(word) > 5:
        found.add(word[:-2])
    for british, american in (("isation", "ization"), ("ise", "ize"), ("ising", "izing"),
                              ("ised", "ized"), ("ises", "izes"), ("our", "or")):  # fmt: skip
        if len(word) > len(british) + 2 and word.endswith(british):
            found.add(word[: -len(british)] + american)
    if "artefact" in word:
        found.add(word.replace("artefact", "artifact"))
    more = {deeper for form in found if form in _LEMMAS for deeper in _LEMMAS[form]}
    return frozenset((found | more) - {word})


@lru_cache(maxsize=16384)
def readings(word: str) -> tuple[tuple[str, int], ...]:
    """Every form that `word` may be matched as, with its level; the best level of a form is kept.

    The forms of a literal in a key are its own base forms, so two inflections of one verb meet at
    their base form.
    """
    if word.startswith("~"):
        head = word[1:]
        return ((head, SYNONYM), *((other, SYNONYM) for other in _GROUPS.get(head, ())))
    found: dict[str, int] = {word: EXACT}
    if "_" in word:
        head, *subs = word.split("_")
        for part in (head if head != "e" else "eps", *subs):
            found.setdefault(part, FAMILY)
        for sub in subs:
            if sub in _SUBSCRIPTS:
                found.setdefault(_SUBSCRIPTS[sub], FAMILY)
    for form in inflections(word):
        found.setdefault(form, FAMILY)
    for form in tuple(found):
        for other in _GROUPS.get(form, ()):
            found.setdefault(other, SYNONYM)
    return tuple(found.items())
