"""The Inceptions in timm and torchvision."""
from sknet.weights.imports.names import numbered, pairs, units, with_batch_norm


def inception_v3():
    return dict(with_batch_norm([
        *pairs("""stem1/3x3_1=Conv2d_1a_3x3 stem1/3x3_2=Conv2d_2a_3x3
                  stem1/3x3_3=Conv2d_2b_3x3
                  stem2/1x1=Conv2d_3b_1x1 stem2/3x3=Conv2d_4a_3x3"""),
        *units(numbered("inception_a", 1, 3), ["Mixed_5b", "Mixed_5c", "Mixed_5d"],
               """1x1=branch1x1
                  5x5_reduce=branch5x5_1 5x5=branch5x5_2
                  3x3_reduce=branch3x3dbl_1 3x3_1=branch3x3dbl_2
                  3x3_2=branch3x3dbl_3
                  pool_proj=branch_pool"""),
        *units(["reduction_a"], ["Mixed_6a"],
               """3x3=branch3x3
                  3x3_reduce=branch3x3dbl_1 3x3_1=branch3x3dbl_2
                  3x3_2=branch3x3dbl_3"""),
        *units(numbered("inception_b", 1, 4),
               ["Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"],
               """1x1=branch1x1
                  1x7_reduce=branch7x7_1 1x7=branch7x7_2 7x1=branch7x7_3
                  7x1_reduce=branch7x7dbl_1 7x1_1=branch7x7dbl_2
                  1x7_1=branch7x7dbl_3 7x1_2=branch7x7dbl_4 1x7_2=branch7x7dbl_5
                  pool_proj=branch_pool"""),
        *units(["reduction_b"], ["Mixed_7a"],
               """3x3_reduce=branch3x3_1 3x3=branch3x3_2
                  1x7_reduce=branch7x7x3_1 1x7=branch7x7x3_2 7x1=branch7x7x3_3
                  3x3_2=branch7x7x3_4"""),
        *units(["inception_c1", "inception_c2"], ["Mixed_7b", "Mixed_7c"],
               """1x1=branch1x1
                  1x3_reduce=branch3x3_1 1x3=branch3x3_2a 3x1=branch3x3_2b
                  3x3_reduce=branch3x3dbl_1 3x3=branch3x3dbl_2
                  1x3_2=branch3x3dbl_3a 3x1_2=branch3x3dbl_3b
                  pool_proj=branch_pool""")]), classifier="fc")


def inception_v4():
    return dict(with_batch_norm([
        *pairs("""stem1/3x3_1=features.0 stem1/3x3_2=features.1
                  stem1/3x3_3=features.2
                  stem2/3x3=features.3.conv stem4/3x3=features.5.conv"""),
        *units(["stem3"], ["features.4"],
               """3x3_reduce=branch0.0 3x3=branch0.1
                  1x7_reduce=branch1.0 1x7=branch1.1 7x1=branch1.2
                  3x3_2=branch1.3"""),
        *units(numbered("inception_a", 1, 4), numbered("features.", 6, 9),
               """1x1=branch0
                  3x3_reduce=branch1.0 3x3=branch1.1
                  3x3_2_reduce=branch2.0 3x3_2=branch2.1 3x3_3=branch2.2
                  pool_proj=branch3.1"""),
        *units(["reduction_a"], ["features.10"],
               """3x3=branch0
                  3x3_reduce=branch1.0 3x3_1=branch1.1 3x3_2=branch1.2"""),
        *units(numbered("inception_b", 1, 7), numbered("features.", 11, 17),
               """1x1=branch0
                  1x7_reduce=branch1.0 1x7=branch1.1 7x1=branch1.2
                  7x1_reduce=branch2.0 7x1_1=branch2.1 1x7_1=branch2.2
                  7x1_2=branch2.3 1x7_2=branch2.4
                  pool_proj=branch3.1"""),
        *units(["reduction_b"], ["features.18"],
               """3x3_reduce=branch0.0 3x3=branch0.1
                  1x7_reduce=branch1.0 1x7=branch1.1 7x1=branch1.2
                  3x3_2=branch1.3"""),
        *units(numbered("inception_c", 1, 3), numbered("features.", 19, 21),
               """1x1=branch0
                  1x3_reduce=branch1_0 1x3=branch1_1a 3x1=branch1_1b
                  3x1_reduce=branch2_0 3x1_1=branch2_1 1x3_1=branch2_2
                  1x3_2=branch2_3a 3x1_2=branch2_3b
                  pool_proj=branch3.1""")]), classifier="last_linear")


def inception_resnet_v2():
    a, b, c = (numbered(f"inception_{letter}", 1, count)
               for letter, count in (("a", 10), ("b", 20), ("c", 10)))
    their_a, their_b = numbered("repeat.", 0, 9), numbered("repeat_1.", 0, 19)
    their_c = [*numbered("repeat_2.", 0, 8), "block8"]
    convolutions = with_batch_norm([
        *pairs("""stem1/3x3_1=conv2d_1a stem1/3x3_2=conv2d_2a stem1/3x3_3=conv2d_2b
                  stem2/1x1=conv2d_3b stem2/3x3=conv2d_4a"""),
        *units(["stem3"], ["mixed_5b"],
               """1x1=branch0
                  5x5_reduce=branch1.0 5x5=branch1.1
                  3x3_reduce=branch2.0 3x3_1=branch2.1 3x3_2=branch2.2
                  pool_proj=branch3.1"""),
        *units(a, their_a,
               """1x1=branch0
                  3x3_reduce=branch1.0 3x3=branch1.1
                  3x3_2_reduce=branch2.0 3x3_2=branch2.1 3x3_3=branch2.2"""),
        *units(["reduction_a"], ["mixed_6a"],
               """3x3=branch0
                  3x3_reduce=branch1.0 3x3_1=branch1.1 3x3_2=branch1.2"""),
        *units(b, their_b,
               "1x1=branch0 1x7_reduce=branch1.0 1x7=branch1.1 7x1=branch1.2"),
        *units(["reduction_b"], ["mixed_7a"],
               """3x3_reduce=branch0.0 3x3=branch0.1
                  3x3_2_reduce=branch1.0 3x3_2=branch1.1
                  3x3_3_reduce=branch2.0 3x3_3=branch2.1 3x3_4=branch2.2"""),
        *units(c, their_c,
               "1x1=branch0 1x3_reduce=branch1.0 1x3=branch1.1 3x1=branch1.2"),
        ("conv7/1x1", "conv2d_7b")])
    return dict([*convolutions, *units([*a, *b, *c], [*their_a, *their_b, *their_c],
                                       "up=conv2d")], classifier="classif")
