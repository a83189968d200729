"""How far the picks of a survey can be trusted: flags for traces, and a table of suspicious shots and stations."""

from seisray.picking.quality.assess import Assessed, assess_picks

__all__ = ["Assessed", "assess_picks"]
