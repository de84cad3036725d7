"""Inception-v3 (Szegedy, Vanhoucke, Ioffe, Shlens, Wojna; CVPR 2016).

As in the authors' TensorFlow code, but for the auxiliary classifier, which only
training needs. SKNet's table 2 counts its 3.3 M parameters.
"""
from sknet.models.inception import (MIN_SIZE, PREPROCESSING, Conv, head,
                                    inception, inceptions, max_pool, mean_pool,
                                    stem)
from sknet.models.registry import register


def a(pooled):
    return [
        [Conv("1x1", 64)],
        [Conv("5x5_reduce", 48), Conv("5x5", 64)],
        [Conv("3x3_reduce", 64), Conv("3x3_1", 96), Conv("3x3_2", 96)],
        [mean_pool, Conv("pool_proj", pooled)]]


REDUCTION_A = [
    [Conv("3x3", 384, stride=2)],
    [Conv("3x3_reduce", 64), Conv("3x3_1", 96), Conv("3x3_2", 96, stride=2)],
    [max_pool]]


def b(width):
    return [
        [Conv("1x1", 192)],
        [Conv("1x7_reduce", width), Conv("1x7", width), Conv("7x1", 192)],
        [Conv("7x1_reduce", width), Conv("7x1_1", width), Conv("1x7_1", width),
         Conv("7x1_2", width), Conv("1x7_2", 192)],
        [mean_pool, Conv("pool_proj", 192)]]


REDUCTION_B = [
    [Conv("3x3_reduce", 192), Conv("3x3", 320, stride=2)],
    [Conv("1x7_reduce", 192), Conv("1x7", 192), Conv("7x1", 192),
     Conv("3x3_2", 192, stride=2)],
    [max_pool]]

C = [
    [Conv("1x1", 320)],
    [Conv("1x3_reduce", 384), (Conv("1x3", 384), Conv("3x1", 384))],
    [Conv("3x3_reduce", 448), Conv("3x3", 384),
     (Conv("1x3_2", 384), Conv("3x1_2", 384))],
    [mean_pool, Conv("pool_proj", 192)]]


@register(paper="https://arxiv.org/abs/1512.00567", published=(27.1, 5.73),
          preprocessing=PREPROCESSING, min_size=MIN_SIZE)
def inception_v3(graph):
    """Inception-v3"""
    top = stem(graph)
    top = inceptions(graph, top, "inception_a", [a(32), a(64), a(64)])
    top = inception(graph, top, "reduction_a", REDUCTION_A)
    top = inceptions(graph, top, "inception_b", [b(128), b(160), b(160), b(192)])
    top = inception(graph, top, "reduction_b", REDUCTION_B)
    top = inceptions(graph, top, "inception_c", [C, C])
    return head(graph, top)
