"""SPS: where shots and receivers were, and which of them belong together."""
