"""One file per format that is no table, or must be re-arranged to be one; each gives a `Layout`."""
