#!/bin/sh
# Installs what building and running need and this machine lacks; does nothing, and asks for nothing, when all is there.
set -eu
cd "$(dirname "$0")/.."
. scripts/as-root.sh

# g++ brings the C and C++ libraries that Swift compiles against; zlib is linked by a dependency of faasctl; uidmap is for
# faasd in the hands of an ordinary user.
packages="ca-certificates curl g++ git libcap-dev libseccomp-dev libsqlite3-dev make pkg-config
    python3 python3-pip python3-venv uidmap zlib1g-dev"

missing=
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null; then
        echo "This is not Debian: install what it calls$missing, and run make again." >&2
        exit 1
    fi
    echo "Installing:$missing"
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
fi

# Whom the daemon becomes once it has started its spawner.
id -u faasd >/dev/null 2>&1 || as_root /usr/sbin/useradd --system --user-group --no-create-home --shell /usr/sbin/nologin faasd

if ! command -v swift >/dev/null; then
    echo 'Swift is not in PATH: install 6.3 from https://www.swift.org/install/linux, and run make again.' >&2
    exit 1
fi
