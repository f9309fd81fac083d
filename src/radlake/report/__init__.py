"""Tables to one self-contained HTML page. It reads tables and previews only, never private/ or pixels."""

from radlake.report.page import write

__all__ = ["write"]
