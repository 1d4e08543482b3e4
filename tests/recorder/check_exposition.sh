#!/bin/bash
# Lets Prometheus's own linter read the golden exposition.
set -euo pipefail
promtool check metrics <"$(dirname "$0")/testdata/golden.prom"
