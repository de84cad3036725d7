"""The selective kernel convolution (Li et al. 2019, section 3.1).

Layers are named and ordered as the authors released them, since weights find
their layers by name.
"""
import re
from dataclasses import dataclass, replace
from typing import Optional

from sknet.errors import InputError
from sknet.models.blocks import (GAUSSIAN, add, conv, conv_bn_relu, global_pool,
                                 reshape)


@dataclass(frozen=True)
class Branch:
    """A kernel to select from, square, grouped (None: depthwise), dilated."""
    kernel: int = 3
    groups: Optional[int] = 32
    dilation: int = 1

    def __str__(self):
        grouped = "dw" if self.groups is None else f"g{self.groups}"
        dilated = f"d{self.dilation}" if self.dilation > 1 else ""
        return f"{self.kernel}x{self.kernel}{grouped}{dilated}"


def parse_branches(text, groups):
    """Return the branches in a text like `3x3,3x3d2,5x5g64,7x7dw`; `groups` are
    for those that name none. Raises InputError if it is not such a text."""
    branches = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)x\1(?:g(\d+)|(dw))?(?:d(\d+))?", part.strip())
        if not match:
            raise InputError(f"branches: {part.strip()!r}; expected a kernel like "
                             "3x3, 5x5g64 (groups), 3x3dw (depthwise) or 3x3g32d2 "
                             "(dilation)")
        kernel, own, depthwise, dilation = match.groups()
        if any(number and int(number) == 0 for number in (kernel, own, dilation)):
            raise InputError(f"branches: {part.strip()!r}; expected no zeros")
        own = int(own) if own else None if depthwise else groups
        branches.append(Branch(int(kernel), own, int(dilation or 1)))
    return branches


@dataclass(frozen=True)
class Selection:
    """What a selective kernel convolution selects from, and how.

    branches: M ≥ 2 of them.
    reduction, min_width: r and L of the paper's d = max(C / r, L), the values
        that the fused features are squeezed to.
    exceptions: pairs (C, d) where released weights differ from that.
    """
    branches: tuple = (Branch(), Branch(dilation=2))
    reduction: int = 16
    min_width: int = 32
    exceptions: tuple = ()

    def squeezed(self, width):
        """d of C = `width` channels."""
        formula = max(width // self.reduction, self.min_width)
        return dict(self.exceptions).get(width, formula)

    def vary(self, branches=None, groups=None, reduction=None, min_width=None):
        """Return it with other branches (a text for parse_branches), groups (of
        all branches that name none), r or L. Raises InputError if they make no
        sense."""
        changed = {}
        for name, value in dict(reduction=reduction, min_width=min_width).items():
            if value not in (None, getattr(self, name)):
                changed.update({name: value, "exceptions": ()})
        if branches is not None:
            changed.update(branches=tuple(
                parse_branches(branches, groups or self.branches[0].groups)))
        elif groups:
            changed.update(branches=tuple(
                replace(branch, groups=groups) for branch in self.branches))
        return replace(self, **changed)

    def check(self, width):
        """Raise InputError unless it is possible with `width` channels."""
        names = [str(branch) for branch in self.branches]
        if len(names) < 2:
            raise InputError(f"branches: {', '.join(names)}; expected 2 or more, "
                             "to select from")
        for name, branch in zip(names, self.branches):
            if names.count(name) > 1:
                raise InputError(f"branches: {name} is there twice")
            if branch.kernel % 2 == 0:
                raise InputError(f"branches: {name}; expected odd kernels")
            if branch.groups and width % branch.groups:
                raise InputError(f"branches: {name}: {branch.groups} groups do not "
                                 f"divide {width} channels")


def selective_kernel(graph, bottom, name, width, selection, stride=1):
    """A selective kernel convolution of C = `width` channels, M branches.

    Split:  U_i = branch i (bottom), each conv-BN-ReLU
    Fuse:   s = mean over H, W of the sum of all U_i
            z = ReLU(BN(fc1 s)), of d values
    Select: a_0, ..., a_M-1 = softmax over the branches of fc2 z, C values each
            top = sum of a_i * U_i     (Scale gives a_0 * U_0, Axpys the rest)
    """
    selection.check(width)
    branches = selection.branches
    tops = [conv_bn_relu(graph, bottom, f"{name}/{branch}", width,
                         kernel=branch.kernel, stride=stride, group=branch.groups,
                         dilation=branch.dilation)
            for branch in branches]
    fused = add(graph, tops, f"{name}_3x3")
    z = global_pool(graph, fused, f"{name}/B_global_pool")
    z = conv_bn_relu(graph, z, f"{name}/B_fc1", selection.squeezed(width),
                     filler=GAUSSIAN)
    z = conv(graph, z, f"{name}/B_fc2", len(tops) * width, filler=GAUSSIAN)
    z = reshape(graph, z, f"{name}/B_re", 0, len(tops), -1, 0)
    z = graph.layer(f"{name}/B_softmax", "Softmax", z, softmax_param=dict(axis=1))
    parts = [f"{name}/B_slice{index}_" for index in range(len(tops))]
    graph.layer(f"{name}/B_slice", "Slice", z, tops=parts, slice_param=dict(
        axis=1, slice_point=range(1, len(tops))))
    *others, first = [
        reshape(graph, parts[index], f"{name}/B_slice{index}", 0, width, -1, 0)
        for index in reversed(range(len(tops)))]
    first = reshape(graph, first, f"{name}/B_w0/reshape", 0, 0)
    top = graph.layer(f"{name}/scale", "Scale", tops[0], first,
                      scale_param=dict(axis=0, bias_term=False))
    for index, gate in enumerate(reversed(others), 1):
        number = index if index > 1 else ""
        top = graph.layer(f"{name}/B_axpy{number}", "Axpy", gate, tops[index], top)
    return top
