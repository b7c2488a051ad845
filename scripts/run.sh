#!/bin/sh
# A marketplace to try: run.sh BINARIES STATE_DIR HOST:PORT [--fixtures]. Starts the daemon, fills it (a second time it
# finds everything done), with Fixtures/ too when asked, says how to call it, and stays until Ctrl-C.
set -eu
cd "$(dirname "$0")/.."
. scripts/as-root.sh
case $#:${4-} in
    3: | 4:--fixtures) ;;
    *) echo "usage: run.sh BINARIES STATE_DIR HOST:PORT [--fixtures], or make run FIXTURES=yes" >&2; exit 2 ;;
esac
if [ "$(id -u)" -ne 0 ]; then as_root sh scripts/run.sh "$@"; exit; fi

binaries=$1 state=$2 listen=$3 fixtures=${4-}
case $listen in
    0.0.0.0:* | '[::]:'*) server=http://127.0.0.1:${listen##*:} ;;
    *) server=http://$listen ;;
esac
FAASD_SOCKET=$state/faasd.sock
export FAASD_SOCKET
ctl() { "$binaries/faasctl" "$@"; }

# Boxes see the runtime as another user, whatever the umask of the clone was.
chmod -R a+rX Runtimes
"$binaries/faasd" serve --state-dir "$state" --listen "$listen" --runtimes "$PWD/Runtimes" &
daemon=$!
stop() {
    kill -TERM $daemon 2>/dev/null || true
    wait $daemon || true
}
trap stop EXIT
trap 'exit 130' INT TERM

tries=0
until curl -s -f -o /dev/null "$server/healthz" && [ -S "$FAASD_SOCKET" ]; do
    kill -0 $daemon 2>/dev/null || { echo "faasd did not start; it says why above." >&2; exit 1; }
    tries=$((tries + 1))
    [ $tries -le 300 ] || { echo "faasd does not answer on $server/healthz after 30 s." >&2; exit 1; }
    sleep 0.1
done
# Another program may be answering there.
kill -0 $daemon 2>/dev/null || { echo "faasd did not start; it says why above." >&2; exit 1; }

. scripts/demo.sh

# Ctrl-C reaches the daemon and this script alike; it ends when the daemon has closed its books.
trap - EXIT
trap 'kill -TERM $daemon 2>/dev/null || true' INT TERM
status=0
while kill -0 $daemon 2>/dev/null; do
    wait $daemon && status=0 || status=$?
done
exit $status
