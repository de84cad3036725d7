"""The formats of weight files, a module each: read(path), write(path, weights)."""
