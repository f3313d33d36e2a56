"""drill: interview practice for diffusion models and Hugging Face diffusers."""

__version__ = "0.1.0"
