"""The terminal app: screens and widgets over the services."""

import gc

# Imports and the first screen make a hundred thousand objects that live as long as the app: looking
# through them again and again costs a tenth of the start.
gc.set_threshold(100_000, 20, 20)
