"""Every fault by its number: what it breaks and within how many seconds nothing may pass any more."""

import faults_in_hosts
import faults_in_paths
import faults_in_ways
from fault import CannotInject, Fault

__all__ = ["CannotInject", "FAULTS"]


def _all():
    found = {}
    for module in (faults_in_ways, faults_in_hosts, faults_in_paths):
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, Fault) and thing is not Fault:
                found[thing.number] = thing
    return dict(sorted(found.items(), key=lambda pair: int(pair[0][1:])))


FAULTS = _all()
