"""Programs that the flow runs: command line in, parsed result out."""
