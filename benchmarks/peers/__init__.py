"""How other tools do on the same images, each in its own environment, in one run with ours."""
