"""Tables of names, written short."""


def pairs(text):
    """[(ours, theirs)] of a text of words like ours=theirs."""
    return [tuple(word.split("=")) for word in text.split()]


def units(ours, theirs, text, separator="/"):
    """[(layer, module)] of units: their names, the source's modules, the parts."""
    assert len(ours) == len(theirs)
    return [(f"{unit}{separator}{part}", f"{module}.{own}")
            for unit, module in zip(ours, theirs) for part, own in pairs(text)]


def numbered(name, first, last):
    return [f"{name}{number}" for number in range(first, last + 1)]


def with_batch_norm(convolutions):
    """[(layer, module)] of convolutions, each with its batch norm."""
    for layer, module in convolutions:
        yield layer, f"{module}.conv"
        yield f"{layer}/bn", f"{module}.bn"
