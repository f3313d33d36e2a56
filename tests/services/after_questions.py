"""Questions as people remember them from interviews, with the items that practise the same thing.

Written and labelled by reading the bank, before anything searched it; one author. `TUNE` was
looked at while the search was made, `HELD` only to measure it. No items: the bank lacks it.
"""

from __future__ import annotations

Asked = tuple[str, str]
"""A question, and the items (without their pack) that a learner should be led to."""

TUNE: tuple[Asked, ...] = (
    ("Why does Stable Diffusion run the UNet twice per step, and how would you avoid it?",
     "cfg.one-sample-a-step cfg.calls-by-scheduler cfg.half-the-bill cfg.evaluations-with-cutoff "
     "cfg.find-the-combination cfg.predict-two-calls cfg.shape-into-unet cfg.predict-off-scales"),
    ("What happens if the guidance scale is too high?",
     "cfg.higher-is-not-better cfg.predict-scale-20 cfg.two-cheap-cures-1 cfg.two-cheap-cures-2 "
     "cfg.not-a-temperature cfg.spread-after-rescale cfg.predict-rescale"),
    ("Derive x0 from the v prediction",
     "obj.x0-from-v obj.code-x0-and-eps obj.eps-for-the-direction"),
    ("difference between DDPM and DDIM",
     "fr.ddim-but-not-ddpm fr.variety-from-one-start fr.ddpm-step-order sc.ddim-update "
     "sc.seed-slider-and-catalogue"),
    ("What is the VAE scaling factor 0.18215 for?",
     "vae.snr-of-a-raw-cache vae.round-trip-cannot-see vae.predict-factor vae.shift-sign "
     "fr.unscaled-latents-snr pi.other-vae"),
    ("How does LoRA work and how many parameters does it add?",
     "ad.lora-parameters ad.lora-down-shape ad.delta-line ad.product-turned-round "
     "ad.scale-upside-down"),
    ("Why are ControlNet's convolutions initialised with zero?",
     "ad.zero-conv-two-steps ad.scale-inside-the-zero-conv ad.predict-controlnet-scale"),
    ("Your p99 latency doubled after a deploy, how do you debug?", "sv.slow-p99"),
    ("How would you roll out a new model version safely?", "sv.rollout"),
    ("Implement a DDIM step", "sc.code-ddim-step sc.ddim-update sc.ddim-direction-sqrt"),
    ("out of memory when decoding large images with the VAE, what do you do",
     "op.decode-peak vae.decoder-calls op.decoder-maps op.peak-owner op.predict-peak-owner "
     "vae.predict-tiling"),
    ("Can diffusion models use a KV cache like LLMs?", "lp.no-kv-cache"),
    ("What is min-SNR weighting",
     "obj.min-snr-weight obj.weights-along-the-width obj.three-pull-requests"),
    ("Explain zero terminal SNR",
     "obj.eps-at-zero-snr obj.choose-the-target fr.predict-black-and-white "
     "fr.still-follows-its-noise fr.brightness-in-the-last-latent sc.override-in-the-dict"),
    ("UNet vs DiT: what changes?",
     "bb.unet-or-dit bb.predict-unet-vs-dit bb.who-cross-attends"),
    ("how are text embeddings injected in the unet",
     "te.two-routes te.code-cross-attention te.states-into-unet te.keys-and-values-from-x "
     "te.which-line-sees-prompt-b bb.who-cross-attends"),
    ("How do you compute FID and why is it misleading?", ""),
    ("Tell me about a time you disagreed with your manager.", ""),
    ("How would you do RLHF or DPO on a text-to-image model?", ""),
    ("How do video diffusion models keep frames consistent over time?", ""),
    ("What is DreamBooth and how does it differ from textual inversion?", ""),
    ("Reverse a linked list.", ""),
)  # fmt: skip

HELD: tuple[Asked, ...] = (
    ("Walk me through a training step of a latent diffusion model.",
     "obj.training-step-order fr.alpha-to-broadcast fr.code-add-noise"),
    ("What does the network predict: noise, x0 or velocity? Which would you pick and why?",
     "obj.choose-the-target obj.read-the-target obj.predict-the-worst-target "
     "obj.from-one-prediction "
     "obj.code-x0-and-eps obj.three-pull-requests"),
    ("Why can MSE training give sharp images rather than blurry averages?",
     "ov.averages-to-samples obj.predict-one-or-many obj.predict-where-it-blurs"),
    ("How is the score function related to the predicted noise?", "ov.score-from-eps"),
    ("When would you choose a GAN over a diffusion model?", "ov.gan-for-both"),
    ("Your training loss is flat after a few hours. Is the model done?",
     "obj.flat-since-hour-three"),
    ("Write the function that adds noise to a batch at different timesteps.",
     "fr.code-add-noise fr.alpha-to-broadcast fr.levels-along-the-channels"),
    ("Show the closed form of q(x_t | x_0) and why you don't need to iterate.",
     "fr.code-add-noise fr.predict-the-chain fr.predict-the-paths fr.chain-without-the-root"),
    ("Derive the posterior mean of the reverse step in DDPM",
     "fr.posterior-mean fr.ddpm-step-order"),
    ("Does DDIM inversion / noising a photo give me back the same photo?", "fr.photo-comes-back"),
    ("In img2img, what does strength do and how many steps run?",
     "fr.calls-at-strength vae.img2img-way-in"),
    ("How does inpainting work without a dedicated inpainting model?",
     "fr.known-part-of-the-picture fr.back-up-the-chain"),
    ("Noise schedule when going from 512 to 1024 resolution - do you need to change anything?",
     "fr.same-table-at-1024"),
    ("Linear vs scaled linear vs cosine beta schedule?",
     "fr.predict-the-tables fr.predict-the-leak "
     "fr.hundred-steps-same-betas"),
    ("Why can you swap the scheduler without retraining the model?",
     "sc.swap-without-retraining ov.change-without-training pi.contracts bb.unet-or-dit"),
    ("What are Karras sigmas?", "fr.code-karras-levels sc.how-far-karras-reaches"),
    ("Explain flow matching / rectified flow and how you recover x0 from the velocity.",
     "sc.flow-preview sc.flow-shift sc.flow-end-shifted-twice"),
    ("Why do you have to call scale_model_input with Euler?",
     "sc.predict-no-scaling sc.input-unscaled sc.initial-scale lp.step-from-the-scaled"),
    ("leading vs trailing timestep spacing",
     "sc.first-timestep sc.predict-spacing sc.trailing-that-does-not-divide "
     "sc.swap-loses-the-spacing obj.fixed-large-and-trailing"),
    ("Heun vs Euler: cost and accuracy",
     "sc.code-heun sc.heun-told-the-old-level sc.heun-counts-twice sc.steps-behind-the-spans "
     "sc.predict-swap sc.five-samplers-1"),
    ("same seed but different image every time, what could be the reason?",
     "lp.diagnose-never-again lp.diagnose-seed-half sc.stable-without-generator "
     "ov.fresh-noise-line "
     "lp.seeds-in-a-batch sc.keeps-changing"),
    ("How does a negative prompt work internally?",
     "cfg.predict-negative cfg.half-a-scale cfg.diagnose-negative cfg.true-cfg-in-flux "
     "cfg.diagnose-opposite pi.second-text-run cfg.find-the-combination"),
    ("Can you apply guidance only in part of the steps? What does it save?",
     "cfg.predict-window cfg.evaluations-with-cutoff cfg.half-the-bill cfg.two-cheap-cures-1 "
     "cfg.two-cheap-cures-2 cfg.cutoff-and-batches cfg.one-sample-a-step"),
    ("Why does small text come out garbled in generated images?", "vae.small-text"),
    ("What's the shape of the latent for a 512x512 image?",
     "lp.into-the-decoder sv.stage-handoff cfg.shape-into-unet vae.moments-shape pi.own-factor"),
    ("How does tiled VAE decoding work and where do seams come from?",
     "vae.predict-tiling vae.blend-turned-round vae.centre-of-the-tile vae.decoder-calls"),
    ("KL term of the VAE, write it down", "vae.kl-of-a-latent"),
    ("What happens with prompts longer than 77 tokens?",
     "te.tokens-cut-off te.predict-truncation te.diagnose-background"),
    ("Implement cross attention in PyTorch",
     "te.code-cross-attention te.keys-and-values-from-x te.which-line-sees-prompt-b"),
    ("How does SDXL condition on two text encoders and image size?",
     "te.two-routes te.sdxl-added-vector te.none-or-empty"),
    ("Does padding in the CLIP prompt influence the picture?",
     "te.padding-positions te.mask-for-the-encoder pi.padded-to-the-longest"),
    ("What is joint attention in SD3 / FLUX (MMDiT)?",
     "te.two-routes te.joint-split-in-the-other-order bb.joint-tokens bb.who-cross-attends "
     "bb.position-encoding"),
    ("How much GPU memory do the weights of FLUX need?", "pi.weights-of-flux op.offload-traffic"),
    ("Write a sampling loop with CFG from scratch",
     "lp.code-sample lp.one-step-order cfg.code-batch-of-scales ov.whole-call-order"),
    ("model cpu offload vs sequential offload, what moves when?",
     "op.offload-order op.offload-traffic op.predict-offload-bytes op.evict-line "
     "op.clip-comes-twice "
     "op.hooks-without-a-chain op.upcast-travels"),
    ("How does flash attention avoid materialising the attention matrix?",
     "op.streamed-softmax op.score-matrix op.softmax-over-the-slice op.predict-precision"),
    ("Is attention slicing still useful with PyTorch 2?", "op.slicing-replaces"),
    ("Merge a LoRA into the base weights - what can go wrong?",
     "ad.unfuse-after-set ad.line-that-rounds ad.base-back-after-unload ad.predict-mix-up "
     "ad.product-turned-round ad.diagnose-golden-drift ad.lora-scale-again"),
    ("IP-Adapter vs ControlNet vs LoRA - when to use which?", "ad.choose"),
    ("How does IP-Adapter inject the image prompt?",
     "ad.ip-scale ad.blend-instead-of-add ad.predict-ip-adapter ad.images-for-prompts"),
    ("Design dynamic batching for an image generation service.",
     "sv.next-batch sv.one-call lp.one-batch sv.batch-throughput sv.predict-knee "
     "cfg.code-batch-of-scales"),
    ("Can two threads share one pipeline object?",
     "sv.predict-shared-scheduler sv.shared-scheduler pi.touched-by-a-call "
     "sv.one-scheduler-for-all "
     "sv.diagnose-under-load sv.none-times-tensor sv.stride-of-the-other"),
    ("queueing: utilisation 80%, how long do requests wait?",
     "sv.queue-wait sv.predict-overload sv.diagnose-busy-evening sv.queue-without-a-bound"),
    ("How would you cancel a running generation when the user closes the tab?",
     "sv.interrupt lp.interrupted op.free-hooks sv.slot-kept-on-cancel"),
    ("We use a distilled 4 step model, how much faster will the service be?",
     "op.halved-steps sc.student-or-steps-1 sc.student-or-steps-2 sc.student-or-steps-3"),
    ("memory of our worker grows until it gets OOM killed",
     "op.diagnose-grows-with-requests op.diagnose-grows-with-steps op.diagnose-doubled"),
    ("clasifier free guidence - what is the formula??",
     "cfg.eps-plus-the-difference cfg.conditional-from-guided cfg.find-the-combination "
     "cfg.higher-is-not-better cfg.code-batch-of-scales cfg.halves-in-the-other-order"),
    ("How do you quantise a diffusion model to int8 and what breaks first?",
     "obj.error-in-the-preview"),
    # What the bank lacks.
    ("Explain speculative decoding.", ""),
    ("How would you detect and block NSFW outputs?", ""),
    ("What is your experience with Kubernetes operators?", ""),
    ("Design a rate limiter.", ""),
    ("How do you collect and caption a training dataset of 100M images?", ""),
    ("What is the difference between FSDP and DeepSpeed ZeRO stage 3?", ""),
    ("Where do you see yourself in five years?", ""),
    ("How does consistency distillation train its student?", ""),
    ("Explain how transformers handle long context with RoPE scaling.", ""),
    ("Implement merge sort in Python and give its complexity.", ""),
    ("How do you evaluate text-to-image models with human raters?", ""),
    ("What does copyright law say about training data?", ""),
)  # fmt: skip
"""48 that the bank has something for, 12 that it lacks."""

COLLOQUIAL: tuple[Asked, ...] = (
    ("So what exactly happens between me typing a prompt and getting a picture back?",
     "ov.whole-call-order te.two-routes pi.predict-what-grows"),
    ("They asked me to write the DDPM reverse step on the whiteboard.",
     "fr.ddpm-step-order fr.posterior-mean sc.code-ddim-step fr.skipped-steps-beta"),
    ("Why is diffusion so slow compared to other generators and how to make it faster?",
     "ov.gan-for-both op.halved-steps sc.student-or-steps-1 sc.student-or-steps-2 "
     "sc.student-or-steps-3 sc.swap-without-retraining cfg.half-the-bill"),
    ("How can I preview the picture while it is still being generated?",
     "ov.preview-field sc.flow-preview obj.x0-from-v"),
    ("Signal to noise ratio: formula in terms of alpha bar?",
     "fr.ab-from-sigma fr.unscaled-latents-snr vae.snr-of-a-raw-cache obj.min-snr-weight "
     "fr.predict-the-tables"),
    ("Attention cost as resolution doubles?",
     "bb.flops-of-four-times-the-pixels ov.double-the-side op.score-matrix op.predict-peak-owner"),
    ("Why work in latent space at all, what do you lose?",
     "vae.small-text vae.predict-round-trip"),
    ("Skip connections in the UNet, how are they wired?",
     "bb.skip-line bb.skips-from-the-wrong-end"),
    ("How does the time step get into the transformer? (adaLN)", "bb.adaln-dead-block"),
    ("What is the deal with eta in DDIM?",
     "fr.variety-from-one-start lp.eta-line sc.code-ddim-step fr.ddim-but-not-ddpm "
     "obj.sigma-not-squared"),
    ("Why does DPM++ 2M need the previous step's output?",
     "sc.history-of-2m sc.second-run"),
    ("Customer says all four variations are identical. Debug it.",
     "lp.diagnose-copies sc.diagnose-no-variety lp.seeds-in-a-batch"),
    ("Pictures are washed out / greyish after deploying, where do you look?",
     "vae.diagnose-pale pi.predict-latents-tell vae.encoder-given-0-to-1"),
    ("What would you cache if many users send the same prompt?",
     "te.reuse-across-seeds pi.second-text-run"),
    ("Where do you store LoRA weights and how do you serve many adapters with one base model?",
     "ad.products-of-adapters ad.unfuse-after-set ad.diagnose-hole ad.lora-scale-again "
     "ad.base-back-after-unload"),
    ("Does fusing LoRA in bf16 lose precision?", "ad.line-that-rounds ad.predict-mix-up"),
    ("ControlNet only for the first third of the steps, does it cost less?",
     "ad.controlnet-calls ad.predict-control-window"),
    ("Why would you keep the VAE in float32?",
     "op.upcast-travels pi.where-float32-comes-in pi.diagnose-half-way"),
    ("Guidance rescale, what problem does it fix?",
     "cfg.spread-after-rescale cfg.predict-rescale cfg.rescale-across-the-batch "
     "cfg.two-cheap-cures-1 cfg.two-cheap-cures-2"),
    ("InstructPix2Pix has two guidance scales, how do they combine?",
     "cfg.second-difference cfg.three-rows-for-an-edit"),
    ("Separate the text encoder, denoiser and decoder into services: what crosses the wire?",
     "pi.bytes-between-services sv.stage-handoff lp.into-the-decoder"),
    ("GPU is only half busy but latency keeps climbing. Why?",
     "sv.diagnose-idle-device sv.diagnose-busy-evening sv.predict-overload"),
    ("How do you load test an image generation API properly?", "sv.test-that-waits"),
    ("Cost per image, back of the envelope, for our traffic.",
     "ov.avatar-bill-1 ov.avatar-bill-2 ov.avatar-bill-3 sc.student-or-steps-1 "
     "sc.student-or-steps-2 sc.student-or-steps-3"),
    ("How do you benchmark GPU code? What about async kernels?", "op.clock-without-the-wait"),
    ("from_pretrained: what does it read from disk, in what order?", "pi.loading-order"),
    ("What's in the scheduler config and what breaks when you swap schedulers carelessly?",
     "sc.swap-loses-the-spacing pi.bare-constructor sc.override-in-the-dict pi.contracts "
     "sc.swap-without-retraining"),
    ("Reparametrisation trick: mean, logvar, sample.",
     "vae.std-without-the-half vae.kl-of-a-latent vae.moments-shape"),
    ("Does the text encoder see the negative prompt separately?",
     "pi.second-text-run cfg.predict-negative te.none-or-empty cfg.find-the-combination"),
    ("Flux: how are latents packed into tokens?",
     "pi.into-flux pi.pack-order bb.joint-tokens vae.flux-latents-back"),
)  # fmt: skip
"""30 more, away from the bank's wording; labelled before they were searched."""

BESIDE: tuple[str, ...] = (
    # About the learner, not about the subject.
    "Why do you want to work here?", "Do you have any questions for us?", "When can you start?",
    "What is your greatest weakness?", "Where do you want to be in three years?",
    "Tell me about a project you are proud of.", "How do you prioritise your work?",
    "What salary do you expect?", "Walk me through your CV.", "Are you willing to relocate?",
    "How many people have you managed, and how big were the teams?",
    # No questions at all.
    "level: mid", "type: shape", "relevance: core", "Interview with Anna, 45 minutes",
    "They were nice and want a second round",
    # Other subjects.
    "How does batch normalisation work?", "What is gradient checkpointing?", "Explain PCA.",
    "How would you A/B test a new model?", "How do you write unit tests?", "What is a mutex?",
    "How do you version your models?", "How do you train a tokenizer?", "What is Docker?",
    "How do you keep the team's code quality high?", "What is a normalizing flow?",
    # So broad that no single item practises it.
    "What does the VAE do in Stable Diffusion?", "Explain classifier-free guidance.",
    "What is the VAE?", "What is a UNet?", "What is a scheduler?", "What is CLIP?",
    "What is LoRA?", "Explain Stable Diffusion.", "What is a latent space?",
    "Explain the forward process.", "What is the reverse process?", "What is a noise schedule?",
    "What does the text encoder do?", "What are the main components of a diffusion pipeline?",
)  # fmt: skip
"""41 that no item is to be brought forward for; 16 of them written after the rule was set."""
