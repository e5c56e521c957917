"""Which documented promises does an OpenAI-style endpoint keep?"""

__version__ = "0.1.0"
