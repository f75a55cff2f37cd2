"""What the tests of the rendering share: bounded, repeatable examples."""

from hypothesis import settings

settings.register_profile("rendering", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("rendering")
