"""What the generator's options change in a net, and what they leave."""
import caffe
import pytest

from sknet import models
from sknet.attention import units
from sknet.commands.generate import generate
from sknet.errors import InputError
from sknet.lowering import to_batch_norm_and_scale, to_stock

from net_files import write_net


def layers(*args, **options):
    return {layer.name: layer
            for layer in models.create(*args, **options).layer}


def types(net):
    return {layer.type for layer in net.layer}


def learnable(layer):
    return [param.lr_mult for param in layer.param]


def test_bn_caffe_has_the_names_of_senets_models():
    net = layers("senet50", bn="caffe")
    norm, scale = net["conv1/7x7_s2/bn"], net["conv1/7x7_s2/bn/scale"]
    assert (norm.type, scale.type) == ("BatchNorm", "Scale")
    assert scale.scale_param.bias_term
    assert learnable(norm) == [0, 0, 0] and learnable(scale) == [1, 1]
    assert norm.batch_norm_param.moving_average_fraction == pytest.approx(.95)
    assert not norm.batch_norm_param.HasField("use_global_stats")
    assert "CuDNNBatchNorm" not in types(models.create("senet50", bn="caffe"))


# Names and shapes in the authors' SE-ResNeXt-50.prototxt.
SE_RESNEXT_50 = {
    "conv1/7x7_s2": [(64, 3, 7, 7)],
    "conv1/7x7_s2/bn": [(64,), (64,), (1,)],
    "conv1/7x7_s2/bn/scale": [(64,), (64,)],
    "conv2_1_1x1_reduce": [(128, 64, 1, 1)],
    "conv2_1_3x3": [(128, 4, 3, 3)],
    "conv2_1_3x3/bn/scale": [(128,), (128,)],
    "conv2_1_1x1_increase": [(256, 128, 1, 1)],
    "conv2_1_1x1_down": [(16, 256, 1, 1), (16,)],
    "conv2_1_1x1_up": [(256, 16, 1, 1), (256,)],
    "conv2_1_1x1_proj": [(256, 64, 1, 1)],
    "conv3_1_1x1_down": [(32, 512, 1, 1), (32,)],
    "classifier": [(1000, 2048), (1000,)]}


def test_senet_fits_the_authors_weights(tmp_path):
    net = caffe.Net(write_net(tmp_path / "net.prototxt", models.create(
        "senet50", bn="caffe")), caffe.TEST)
    for name, shapes in SE_RESNEXT_50.items():
        assert [tuple(blob.shape) for blob in net.params[name]] == shapes


@pytest.mark.parametrize("bn", ["cudnn", "caffe"])
def test_frozen_bn(bn):
    for name, layer in layers("sknet_digits", "train_val", bn=bn,
                              frozen_bn=True).items():
        if layer.type == "BatchNorm":
            assert layer.batch_norm_param.use_global_stats
        if layer.type == "CuDNNBatchNorm":
            assert layer.batch_norm_param.frozen
        if name.endswith(("/bn", "/bn/scale")):
            assert layer.param and not any(learnable(layer))
        elif layer.param:
            assert all(learnable(layer))


STOCK = ("sknet50", "senet50", "resnext50_bam", "resnext50_cbam")


@pytest.mark.parametrize("name", STOCK)
def test_stock_layers_are_all_in_bvlcs_caffe(name):
    net = models.create(name, layers="stock")
    assert types(net) <= {
        "Input", "Convolution", "BatchNorm", "Scale", "ReLU", "Pooling", "Eltwise",
        "InnerProduct", "Softmax", "Reshape", "Slice", "Sigmoid", "Concat", "Tile",
        "Flatten"}
    # BVLC's BatchNormParameter has three fields.
    for layer in net.layer:
        assert not [field.name for field, _ in layer.batch_norm_param.ListFields()
                    if field.number > 3]


def test_lowering_leaves_the_net_as_it_was():
    for name in (*STOCK, "shufflenet_v2_sk_0_5"):
        net = models.create(name)
        before = net.SerializeToString(deterministic=True)
        to_stock(net)
        to_batch_norm_and_scale(net)
        assert net.SerializeToString(deterministic=True) == before


def test_stock_layers_refuse_what_has_no_equal():
    with pytest.raises(InputError, match="layer loss: .* smooths labels"):
        models.create("sknet_digits", "train_val", layers="stock",
                      label_smoothing=.1)


def test_finetuning_slows_all_but_a_new_classifier():
    plain = layers("sknet_digits", "train_val")
    slow = layers("sknet_digits", "train_val", lr_mult_backbone=.1, num_classes=3)
    assert "classifier" not in slow
    classifier = slow.pop("classifier_finetune")
    assert learnable(classifier) == learnable(plain["classifier"])
    assert classifier.inner_product_param.num_output == 3
    # The blob is still called so, which the layers after it read.
    assert list(classifier.top) == list(slow["loss"].bottom[:1])
    for name, layer in slow.items():
        assert learnable(layer) == pytest.approx(
            [rate * .1 for rate in learnable(plain[name])])


def test_every_learnable_layer_says_how_fast():
    for name in models.names():
        for layer in models.create(name).layer:
            blobs = {"Convolution": 1 + layer.convolution_param.bias_term,
                     "DepthwiseConvolution": 1 + layer.convolution_param.bias_term,
                     "InnerProduct": 1 + layer.inner_product_param.bias_term,
                     "CuDNNBatchNorm": 4}.get(layer.type, 0)
            assert len(layer.param) == blobs, (name, layer.name)


def test_global_pool_and_channels():
    net = layers("sknet50", global_pool=True, channels=1)
    assert net["avepool/7x7"].pooling_param.global_pooling
    assert list(net["data"].input_param.shape[0].dim) == [1, 1, 224, 224]


def test_one_channel_has_one_mean():
    data = models.create("sknet50", "train_val", channels=1).layer[0]
    assert list(data.transform_param.mean_value) == pytest.approx(
        [(104 + 117 + 123) / 3])


def test_label_smoothing():
    loss = layers("sknet50", "train_val", label_smoothing=.1)["loss"]
    assert loss.loss_param.label_smoothing == pytest.approx(.1)
    assert not layers("sknet50", "train_val")["loss"].HasField("loss_param")


# SENet's README.
SENET = dict(min_area_ratio=.08, max_area_ratio=1, min_aspect_ratio=3 / 4,
             max_aspect_ratio=4 / 3, max_rotation_angle=10, max_pixel_jitter=20)


@pytest.mark.parametrize("name, size, shorter_side, mirror", [
    ("sknet50", None, 256, True), ("sknet50", 320, 366, True),
    ("inception_v3", None, 320, True), ("sknet_digits", 96, 96, False)])
def test_augment(name, size, shorter_side, mirror):
    train, test, *rest = models.create(name, "train_val", size=size,
                                       augment="senet").layer
    plain_train, plain_test, *plain_rest = models.create(name, "train_val",
                                                         size=size).layer
    assert rest == plain_rest
    assert train.type == test.type == "AugmentedData"
    assert {field: getattr(train.transform_param, field)
            for field in SENET} == pytest.approx(SENET)
    assert train.augmented_data_param.shuffle
    assert train.transform_param.mirror == mirror
    assert test.transform_param.shorter_side == shorter_side
    assert not test.HasField("augmented_data_param")
    # All else is Data's.
    for augmented, plain in ((train, plain_train), (test, plain_test)):
        assert augmented.transform_param.force_color
        for field in ("force_color", "shorter_side", *SENET):
            augmented.transform_param.ClearField(field)
        augmented.ClearField("augmented_data_param")
        augmented.type = "Data"
        assert augmented == plain


@pytest.mark.parametrize("channels, gray, color", [
    (1, True, False), (3, False, True), (4, False, False)])
def test_augmented_images_have_the_nets_channels(channels, gray, color):
    for data in models.create("sknet_digits", "train_val", channels=channels,
                              augment="senet").layer[:2]:
        assert data.transform_param.force_gray == gray
        assert data.transform_param.force_color == color


def test_stock_layers_do_not_augment():
    with pytest.raises(InputError, match="layer data: AugmentedData has no equal"):
        models.create("sknet_digits", "train_val", layers="stock", augment="senet")


def test_branches():
    net = models.create("sknet50", branches="3x3,5x5g64,7x7g128", size=64)
    for unit in units(net):
        assert unit.kernels == (3, 5, 7)
    named = {layer.name: layer for layer in net.layer}
    assert list(named["conv2_1_3x3"].bottom) == [
        f"conv2_1/{branch}/bn" for branch in ("3x3g32", "5x5g64", "7x7g128")]
    assert named["conv2_1/B_fc2"].convolution_param.num_output == 3 * 128
    assert list(named["conv2_1/B_slice"].slice_param.slice_point) == [1, 2]


def test_dilated_branches_and_groups():
    net = models.create("sknet50", branches="3x3,3x3d2,3x3d3", groups=16)
    for unit in units(net):
        assert unit.kernels == (3, 5, 7)
    assert {layer.convolution_param.group for layer in net.layer
            if "/3x3g" in layer.name and layer.type == "Convolution"} == {16}


@pytest.mark.parametrize("options, expected", [
    (dict(reduction=8), (32, 32, 64, 128)), (dict(min_width=64), (64, 64, 64, 64)),
    (dict(reduction=32, min_width=8), (8, 8, 16, 32))])
@pytest.mark.parametrize("name", ["sknet50", "sknet101"])
def test_reduction_and_min_width(name, options, expected):
    net = layers(name, **options)
    assert tuple(net[f"conv{stage}_1/B_fc1"].convolution_param.num_output
                 for stage in (2, 3, 4, 5)) == expected


def test_the_default_reduction_keeps_released_exceptions():
    assert (models.create("sknet101", reduction=16, min_width=32)
            == models.create("sknet101"))


@pytest.mark.parametrize("classes, accuracies", [
    (2, ["top-1"]), (5, ["top-1"]), (6, ["top-1", "top-5"])])
def test_few_classes_have_no_top_5(classes, accuracies):
    net = models.create("sknet_digits", "train_val", num_classes=classes)
    assert [layer.name for layer in net.layer
            if layer.type == "Accuracy"] == accuracies


def test_recipes():
    solver = models.create("sknet50", "solver", recipe="senet", batch=64)
    assert solver.iter_size * 64 == 256
    assert solver.max_iter == round(270 * 1281167 / 256)
    senet = models.create("senet50", "solver", batch=64)
    assert list(solver.stepvalue) == list(senet.stepvalue) == [
        round(epoch * 1281167 / 256) for epoch in (125, 200, 250)]


def test_the_comment_is_the_command():
    text = generate("sknet50", "deploy", num_classes=10, frozen_bn=True, bn="caffe",
                    branches="3x3,5x5", lr_mult_backbone=.5)
    assert text.startswith(
        "# Made by: sknet generate sknet50 --kind deploy --num-classes 10 --bn caffe "
        "--frozen-bn --lr-mult-backbone 0.5 --branches 3x3,5x5\n")


def test_the_command_has_every_option(sknet, tmp_path):
    """And the comment, given to the command, makes the same file."""
    path = tmp_path / "deploy.prototxt"
    arguments = ("sknet50 --kind deploy --num-classes 10 --size 128 --channels 1 "
                 "--batch 2 --global-pool --bn caffe --frozen-bn --layers stock "
                 "--lr-mult-backbone 0.5 --branches 3x3,5x5 --groups 16 "
                 "--reduction 8 --min-width 16")
    assert sknet("generate", *arguments.split(), "-o", path).returncode == 0
    text = path.read_text()
    assert text.splitlines()[0] == f"# Made by: sknet generate {arguments}"
    for arguments in ("sknet50 --kind train_val --label-smoothing 0.1 "
                      "--augment senet",
                      "sknet50 --kind solver --batch 64 --recipe senet"):
        done = sknet("generate", *arguments.split())
        assert done.stdout.splitlines()[0] == f"# Made by: sknet generate {arguments}"
