"""Level 4: what attention takes in time and memory on this machine, as a record that can be read and compared."""

from flatten_edu.bench.compare import compare, differences
from flatten_edu.bench.fit import Crossover, Slope, crossing, crossover, fit_slope
from flatten_edu.bench.record import Point, Record
from flatten_edu.bench.report import crossovers, floors, memory, ratios, report, roofline, times
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
    "crossing",
    "crossover",
    "crossovers",
    "differences",
    "fit_slope",
    "floors",
    "measure",
    "memory",
    "ratios",
    "report",
    "roofline",
    "times",
    "title_of",
]
