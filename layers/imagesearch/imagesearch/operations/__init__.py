"""What callers may ask for: one module an operation, the only door for functions."""
