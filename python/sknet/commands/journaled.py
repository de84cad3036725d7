"""Work of a verb on the images of a dataset, kept in a journal."""
import sys


def complete(args, worker, journal):
    """Compute the rows that a Journal lacks.

    args: of a verb with arguments.add_shards; worker: as in sknet.sharding, of rows.
    """
    from sknet.progress import progress
    from sknet.sharding import run as run_sharded
    total, left = len(worker.dataset), sum(map(len, journal.todo))
    if left < total:
        print(f"sknet {args.verb}: {total - left} of {total} images are in "
              f"{journal.path} already", file=sys.stderr)
    with progress(total, "image", total - left) as bar:
        try:
            for batch, rows in run_sharded(worker, journal.todo, args.ray,
                                           args.processes):
                journal.add(rows)
                for row in rows:
                    if "error" in row:
                        bar.write(f"sknet {args.verb}: {row['error']}; skipped",
                                  file=sys.stderr)
                bar.update(len(batch))
        except KeyboardInterrupt:
            bar.write(f"sknet {args.verb}: {journal.path} has what is done; the same "
                      "command goes on", file=sys.stderr)
            raise
