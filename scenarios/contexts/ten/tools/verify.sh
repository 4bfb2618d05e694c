#!/bin/sh
# Checks installed files against their digests: verify.sh SUMS REPORT
set -eu
sha256sum -c "$1" > "$2"
