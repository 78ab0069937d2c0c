"""nbval compares a figure by the sentence that stands for it.

The sentence holds the figure's numbers. Pixels are not compared.
"""

from nbval.plugin import IPyNbFile

from flatten_edu.plot.panels import PLOTLY


def pytest_collectstart(collector):
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += ("text/html", PLOTLY)
