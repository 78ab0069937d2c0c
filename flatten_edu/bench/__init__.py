"""Level 4: what attention takes in time and memory on this machine, as a record that can be read and compared."""

from flatten_edu.bench.fit import Crossover, Slope, crossover, fit_slope
from flatten_edu.bench.record import Point, Record
from flatten_edu.bench.report import compare, crossovers, floors, memory, report, roofline, times
from flatten_edu.bench.runner import measure
from flatten_edu.bench.settings import Settings
from flatten_edu.bench.variants import MODELS, VARIANTS, title_of

__all__ = [
    "MODELS",
    "VARIANTS",
    "Crossover",
    "Point",
    "Record",
    "Settings",
    "Slope",
    "compare",
    "crossover",
    "crossovers",
    "fit_slope",
    "floors",
    "measure",
    "memory",
    "report",
    "roofline",
    "times",
    "title_of",
]
