"""convmake: a Make for ConvNets on FPGAs."""
