"""The report page: a folder of HTML that opens from disk, without a server or a network.

``views`` turns sections and sequences into plain data, ``encoding`` makes that small, ``render``
fills the templates and ``site`` writes the folder. The browser's scripts are in ``assets/``.
"""

from bench.reports.page.site import Extra, Videos, write_report
from bench.reports.section import ReportSection, absent_section, open_section

__all__ = ["Extra", "ReportSection", "Videos", "absent_section", "open_section", "write_report"]
