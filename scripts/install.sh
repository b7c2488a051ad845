#!/bin/sh
# install.sh BINARIES PREFIX: programs to PREFIX/bin, the runtimes to PREFIX/share/faasd. The programs belong side by
# side: faasd looks for faasd-spawner, faasd-userns and libfaasd-zygote.so beside itself.
set -eu
cd "$(dirname "$0")/.."

binaries=$1 prefix=$2
runtime=$prefix/share/faasd/Runtimes/python
install -d "$prefix/bin" "$runtime/shims"
install -m 755 "$binaries/faasd" "$binaries/faasctl" "$binaries/faasd-spawner" "$binaries/faasd-userns" "$prefix/bin"
install -m 644 "$binaries/libfaasd-zygote.so" "$prefix/bin"
install -m 644 Runtimes/python/*.py "$runtime"
install -m 644 Runtimes/python/shims/*.py "$runtime/shims"
# The units name /usr/local/bin; with another PREFIX their ExecStart= has to be changed.
install -d "$prefix/lib/systemd/system"
install -m 644 dist/faasd.service "$prefix/lib/systemd/system"
install -d "$prefix/lib/systemd/user"
install -m 644 dist/faasd-user.service "$prefix/lib/systemd/user/faasd.service"
# What faasctl selftest runs.
for folder in Attacks Attacks/archives Attacks/echo Attacks/files Attacks/golden Attacks/http Attacks/lifecycle \
    Attacks/network Attacks/processes Attacks/resources; do
    install -d "$prefix/share/faasd/$folder"
    install -m 644 $folder/*.* "$prefix/share/faasd/$folder"
done
install -d "$prefix/share/faasd/Tests/EndToEnd"
for module in boxes harness host wire archives; do
    install -m 644 "Tests/EndToEnd/$module.py" "$prefix/share/faasd/Tests/EndToEnd"
done
# Workers never write bytecode; without it each would compile the runtime anew at its start.
"${PYTHON:-/usr/bin/python3}" -m compileall -q --invalidation-mode unchecked-hash "$runtime"
echo "Installed in $prefix. Next: useradd --system faasd; faasd doctor; systemctl enable --now faasd, or faasd serve --state-dir /var/lib/faasd"
