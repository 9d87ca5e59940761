#!/bin/sh
# A core file would hold the values that are in memory, so none is ever written: dash sets the soft and the hard limit, which
# nothing below can raise again. Without --disable-sigusr1 a signal would open Node's inspector.
set -eu
# shellcheck disable=SC3045
ulimit -c 0
exec node --disable-sigusr1 /opt/sallyport/packages/cli/bin/sallyport.mjs "$@"
