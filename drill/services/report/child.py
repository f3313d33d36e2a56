"""Write the report into the data folder's `reports/`: `python -m drill.services.report.child`.

The app starts this as a process of its own, so that its screen stays smooth. It prints one JSON
document, `path` and `size` (bytes), or ends with 2 and says on stderr why not.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Write it as HTML, about everything."""
    from drill.config import ConfigError
    from drill.services.app import Drill, OpenError
    from drill.services.report.rendering import ReportTemplateError
    from drill.services.report.scope import Wanted
    from drill.services.report.writing import WriteError, write_into_home

    try:
        with Drill() as drill:
            written = write_into_home(drill, Wanted())
    except (ConfigError, OpenError, ReportTemplateError, WriteError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    sys.stdout.write(json.dumps({"path": str(written.path), "size": written.size}) + "\n")


if __name__ == "__main__":
    main()
