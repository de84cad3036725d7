"""List the models."""
import json

EXAMPLE = "sknet models --json"


def add_arguments(parser):
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args):
    from sknet import models
    table = [dict(name=model.name, title=model.title,
                  size=model.preprocessing.crop,
                  num_classes=model.dataset.num_classes,
                  paper=model.paper, licence=model.licence)
             for model in map(models.get, models.names())]
    if args.json:
        print(json.dumps(table, indent=2))
        return 0
    width = max(len(row["name"]) for row in table)
    print(f"{'name':{width}}  size  classes  title")
    for row in table:
        print(f"{row['name']:{width}}  {row['size']:4}  {row['num_classes']:7}  "
              f"{row['title']}")
    return 0
