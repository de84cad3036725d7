"""Validation of a net in training, as Caffe's solver does it."""
import numpy as np


class Validation:
    """The test nets of a solver, and their results: the mean over the passes.

    test_iter: of each net, its passes.
    names: of the results; those of a second net have #1 before them.
    """

    def __init__(self, solver, test_iter):
        self._solver = solver
        self._nets = list(zip(solver.test_nets, test_iter))
        self.names = [name for number, (net, _) in enumerate(self._nets)
                      for name in _names(number, net)]
        self.criterion, self.higher_is_better = self._choose()

    def __call__(self, stop):
        """Return {name: value}, or None if there is nothing to validate or, meanwhile,
        something in the list `stop`."""
        from tqdm import tqdm
        means = []
        for net, passes in self._nets:
            self._solver.share_weights(net)
            results = []
            for _ in tqdm(range(passes), desc="validation", unit="batch", leave=False,
                          disable=None):
                if stop:
                    return None
                outputs = net.forward()
                results.append(np.concatenate(
                    [outputs[name].ravel() for name in net.outputs]))
            means.extend(np.mean(results, axis=0, dtype=float))
        # As the curves' file has them, so that what is read there compares.
        return {name: float(f"{mean:.7g}")
                for name, mean in zip(self.names, means)} or None

    def best(self, validations):
        """Return the best of [(iteration, {name: value})], the earliest of equal
        ones, or None: that of the highest accuracy, the first in the first net;
        without one, of the lowest loss."""
        if not validations or not self.criterion:
            return validations[-1] if validations else None
        choose = max if self.higher_is_better else min
        return choose(validations, key=lambda pair: pair[1][self.criterion])

    def _choose(self):
        for net, _ in self._nets[:1]:
            for name, layer in net.layer_dict.items():
                if layer.type == "Accuracy":
                    return net.top_names[name][0], True
            for name in net.outputs:
                if net.blob_loss_weights[name]:
                    return name, False
        return None, False


def _names(number, net):
    for name in net.outputs:
        label = f"#{number} {name}" if number else name
        size = net.blobs[name].data.size
        yield from [label] if size == 1 else (f"{label}[{k}]" for k in range(size))
