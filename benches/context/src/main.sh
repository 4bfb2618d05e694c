#!/bin/sh
# The one source file; the edit adds a line to it.
echo main
