"""What people read after a run: the files of a run directory and everything made from them.

    records    results.jsonl as values          matrix, html   the page
    results    writing and reading them         junit, summary, badge, terminal   other outputs
    merge, diff, fold   pure functions on runs  evidence, curl   what a cell opens to
    write      all reports of a run directory, from its files alone

Nothing here needs the engine: a report can be made of a run that was killed, or ran elsewhere.
"""
