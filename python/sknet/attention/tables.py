"""What was measured, as CSV."""
import csv


def write_attention(path, attention, classes):
    """Write a row for each image, scale, unit and branch to a file.

    classes: the classes' names, or None.
    """
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["image", "class", "label", "scale", "unit", "branch", "kernel",
                       "attention"])
        for image, (name, label) in enumerate(zip(attention.names, attention.labels)):
            head = [name, label, class_name(classes, label)]
            for place, scale in enumerate(attention.scales):
                for unit in attention.units:
                    rows.writerows(
                        [*head, f"{scale:g}", unit.name, branch, f"{kernel}x{kernel}",
                         value] for branch, kernel, value in zip(
                             unit.short_names, unit.kernels,
                             attention.branches[unit.name][image, place]))


def write_means(path, means, classes):
    """Write a row for each Mean to a file; of all images, those without a class."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["unit", "class", "label", "scale", "value", "n", "mean",
                       "standard_error"])
        rows.writerows([mean.unit, mean.label, class_name(classes, mean.label),
                        f"{mean.scale:g}", mean.value, mean.n, mean.mean,
                        mean.standard_error] for mean in means)


def class_name(classes, label):
    """A class's name, where there is one."""
    known = classes is not None and label is not None and 0 <= label < len(classes)
    return classes[label] if known else None
