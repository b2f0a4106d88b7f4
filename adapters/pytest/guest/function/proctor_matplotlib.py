"""A backend of matplotlib that draws without a screen and shows figures by saving them.

proctor_piece.py sets `save` right after this module was loaded.
"""
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas  # noqa: F401


def show(*arguments, **keywords):
    save()
