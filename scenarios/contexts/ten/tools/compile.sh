#!/bin/sh
# Joins sources into one program and keeps their digests beside it: compile.sh SOURCES OUTPUT
set -eu
mkdir -p "$2"
for source in "$1"/*.sh; do
    sha256sum "$source" >> "$2/SUMS"
    cat "$source" >> "$2/app"
done
chmod 755 "$2/app"
