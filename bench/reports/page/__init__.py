"""The report page: one folder of HTML that opens from disk, without a server or a network.

``study`` gathers what is known of a benchmark, ``timeline`` what happened along a sequence,
``views`` turns both into plain data, ``packing`` makes that small, ``render`` fills the templates
and ``site`` writes the folder. What runs in the browser lies in ``assets/``.
"""

from bench.reports.page.site import Videos, write_report
from bench.reports.study import Study, absent_study, open_study

__all__ = ["Study", "Videos", "absent_study", "open_study", "write_report"]
