"""One process's part in the planted search; arguments: storage, pause in each trial, sampler, trials."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from planted_search import climb, make_search

from pellucid.training.search.tried import Order, Scored


def slow(order: Order) -> Scored:
    print(order.name, flush=True)
    time.sleep(float(sys.argv[2]))
    return climb(order)


make_search(sys.argv[1], slow, create=False, sampler=sys.argv[3], trials=int(sys.argv[4])).run()
