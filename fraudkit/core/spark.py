"""Opening Spark. The rest of the package gets a session or a table of it and never makes one.

Spark has an environment of its own (`make spark`), so it is imported only inside functions.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from fraudkit.core.errors import NotReady

MIN_JAVA = 17
REMEDY = f"install Java {MIN_JAVA} or newer (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME to one"
# Set for every master; what depends on the cluster is spark-submit's or spark-defaults.conf's to say.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.ui.showConsoleProgress": "false",
    # PySpark 4.3 warns of pandas 3 at every batch; what it writes here is compared with one machine, bit for bit.
    "spark.executorEnv.PYTHONWARNINGS": "ignore:PySpark does not yet fully support pandas:FutureWarning",
}
LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.ui.enabled": "false",
}


def java_version() -> int:
    """The major version of the Java that Spark would start.

    Raises
    ------
    NotReady
        There is none, or it is too old; the message says how to get one.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None:
        raise NotReady(f"Spark needs Java and there is no `java` on the PATH; {REMEDY}")
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=True).stderr  # noqa: S603 the user's own
    except (OSError, subprocess.SubprocessError) as error:
        raise NotReady(f"Spark needs Java and {java} does not start ({error}); {REMEDY}") from error
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    if found is None or int(found[1]) < MIN_JAVA:
        raise NotReady(f"Spark needs Java {MIN_JAVA} or newer and {java} is {told.splitlines()[0]!r}; {REMEDY}")
    return int(found[1])


def open_session(name: str, master: str | None = None) -> Any:
    """A SparkSession whose workers run this very interpreter and whose times are UTC.

    Parameters
    ----------
    name : of the application, as Spark's pages show it
    master : "local[2]", "spark://…", "yarn"; None leaves it to spark-submit

    Raises
    ------
    NotReady
        Java or PySpark is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise NotReady("this interpreter has no PySpark; `make spark` makes .venv-spark, which has") from error
    java_version()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    builder = SparkSession.builder.appName(name)
    if master is not None:
        builder = builder.master(master)
    for key, value in (SETTINGS | (LOCAL if (master or "").startswith("local") else {})).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
