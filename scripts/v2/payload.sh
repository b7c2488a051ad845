#!/bin/sh
# payload.sh BINARIES FOLDER SETTINGS: what the virtual machine of test-v2.sh gets, as FOLDER/payload.tar: faasd as
# `make install` installs it, the tests' program and what it reads at the places where it was built, Swift's libraries.
set -eu
cd "$(dirname "$0")/../.."

binaries=$(cd "$1" && pwd) folder=$2 settings=$3
stage=$folder/payload
rm -rf "$stage"
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage$PWD"

sh scripts/install.sh "$binaries" "$stage/usr/local" >/dev/null
# The tests know the repository by the path it was compiled at.
cp -R Runtimes scripts Tests Attacks dist "$stage$PWD"
mkdir -p "$stage$binaries"
cp "$binaries"/*.xctest "$binaries/faasd-spawner" "$stage$binaries"

# Libraries that no package of Debian brings, at the same places.
ldd "$binaries/faasd" "$binaries/faasctl" "$binaries"/*.xctest | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u |
    while read -r library; do
        case $library in
            /lib/* | /lib64/* | /usr/lib/*) continue ;;
        esac
        mkdir -p "$stage$(dirname "$library")"
        cp -L "$library" "$stage$library"
    done

cat >"$stage/v2-begin" <<END
cd '$PWD'
commit='$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)' binaries='$binaries'
$settings
. scripts/v2/inside.sh
END
# Not below /tmp with the modes of a private folder: boxes read the runtime as another user.
chmod -R a+rX "$stage"
tar --owner=0 --group=0 -C "$stage" -cf "$folder/payload.tar" .
