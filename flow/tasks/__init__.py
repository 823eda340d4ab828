"""From a spec to doit's tasks: one module a stage, a reporter, and a state store that survives a killed build."""
