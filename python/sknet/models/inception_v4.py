"""Inception-v4 (Szegedy, Ioffe, Vanhoucke, Alemi; AAAI 2017)."""
from sknet.models.inception import (MIN_SIZE, PREPROCESSING, STEM, Conv, chain,
                                    head, inception, inceptions, max_pool,
                                    mean_pool)
from sknet.models.registry import register

STEM_2 = [
    [max_pool],
    [Conv("3x3", 96, stride=2)]]

STEM_3 = [
    [Conv("3x3_reduce", 64), Conv("3x3", 96, pad=0)],
    [Conv("1x7_reduce", 64), Conv("1x7", 64), Conv("7x1", 64),
     Conv("3x3_2", 96, pad=0)]]

STEM_4 = [
    [Conv("3x3", 192, stride=2)],
    [max_pool]]

A = [
    [Conv("1x1", 96)],
    [Conv("3x3_reduce", 64), Conv("3x3", 96)],
    [Conv("3x3_2_reduce", 64), Conv("3x3_2", 96), Conv("3x3_3", 96)],
    [mean_pool, Conv("pool_proj", 96)]]

REDUCTION_A = [
    [Conv("3x3", 384, stride=2)],
    [Conv("3x3_reduce", 192), Conv("3x3_1", 224), Conv("3x3_2", 256, stride=2)],
    [max_pool]]

B = [
    [Conv("1x1", 384)],
    [Conv("1x7_reduce", 192), Conv("1x7", 224), Conv("7x1", 256)],
    [Conv("7x1_reduce", 192), Conv("7x1_1", 192), Conv("1x7_1", 224),
     Conv("7x1_2", 224), Conv("1x7_2", 256)],
    [mean_pool, Conv("pool_proj", 128)]]

REDUCTION_B = [
    [Conv("3x3_reduce", 192), Conv("3x3", 192, stride=2)],
    [Conv("1x7_reduce", 256), Conv("1x7", 256), Conv("7x1", 320),
     Conv("3x3_2", 320, stride=2)],
    [max_pool]]

C = [
    [Conv("1x1", 256)],
    [Conv("1x3_reduce", 384), (Conv("1x3", 256), Conv("3x1", 256))],
    [Conv("3x1_reduce", 384), Conv("3x1_1", 448), Conv("1x3_1", 512),
     (Conv("1x3_2", 256), Conv("3x1_2", 256))],
    [mean_pool, Conv("pool_proj", 256)]]


@register(paper="https://arxiv.org/abs/1602.07261", published=(42.0, 12.31),
          preprocessing=PREPROCESSING, min_size=MIN_SIZE)
def inception_v4(graph):
    """Inception-v4"""
    top = chain(graph, "data", "stem1", STEM)
    top = inception(graph, top, "stem2", STEM_2)
    top = inception(graph, top, "stem3", STEM_3)
    top = inception(graph, top, "stem4", STEM_4)
    top = inceptions(graph, top, "inception_a", [A] * 4)
    top = inception(graph, top, "reduction_a", REDUCTION_A)
    top = inceptions(graph, top, "inception_b", [B] * 7)
    top = inception(graph, top, "reduction_b", REDUCTION_B)
    top = inceptions(graph, top, "inception_c", [C] * 3)
    return head(graph, top)
