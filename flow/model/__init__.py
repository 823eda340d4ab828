"""The streaming model: what a design is, what hardware it stands for, and what that costs."""
