"""Coefficients of LUTs and FFs from vendor reports: samples of modules, a fit that says what it cannot tell, a file."""
