"""Build, measure and try the SAM application. Needs nothing but the standard library and pip."""
