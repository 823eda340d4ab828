"""From a spec to doit's tasks: one module a stage, a reporter, and stamps that survive a killed build."""
