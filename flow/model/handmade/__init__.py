"""Hand-written designs in the modules of fpgaConvNet: read, simulated word by word, costed."""
