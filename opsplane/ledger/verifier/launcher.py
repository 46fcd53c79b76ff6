"""Starts the verifier that lies in a folder beside this file; exports carry it as `verify.py`."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # an isolated interpreter (-I) does not look here by itself
runpy.run_module("verifier", run_name="__main__")
