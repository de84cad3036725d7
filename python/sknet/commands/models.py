"""List the models: parameters, multiply-adds, and what was published.

Learnable parameters in millions, and multiply-adds of convolutions and fully
connected layers for one image, in billions (see `sknet summary`); beside them
the figures in the README of SKNet (its table 2), and how far off these are.
"""
import json

EXAMPLE = "sknet models --json"


def add_arguments(parser):
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args):
    from sknet import models
    table = [_row(models.get(name)) for name in models.names()]
    if args.json:
        print(json.dumps(table, indent=2))
        return 0
    width = max(len(row["name"]) for row in table)
    print(f"{'name':{width}}  size  {'params M':>8}  {'published':>14}  "
          f"{'GFLOPs':>6}  {'published':>14}  title")
    for row in table:
        millions, billions = row["params"] / 1e6, row["macs"] / 1e9
        print(f"{row['name']:{width}}  {row['size']:4}  {millions:8.2f}  "
              f"{_compared(row['published_params'], millions, 1)}  {billions:6.3f}  "
              f"{_compared(row['published_gflops'], billions, 2)}  {row['title']}")
    return 0


def _row(model):
    from sknet import models
    from sknet.profile import profile
    costs = profile(models.create(model.name))
    params, gflops = model.published
    return dict(name=model.name, title=model.title, size=model.preprocessing.crop,
                num_classes=model.dataset.num_classes,
                **{cost: costs.total(cost)
                   for cost in ("params", "params_with_stats", "macs")},
                published_params=params, published_gflops=gflops,
                paper=model.paper, licence=model.licence, weights=model.weights,
                remark=model.remark)


def _compared(published, own, digits):
    """A published figure, and how much more or less than it ours is."""
    if published is None:
        return f"{'-':>14}"
    return f"{published:5.{digits}f} ({own / published - 1:+6.1%})"
