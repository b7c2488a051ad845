#!/bin/sh
# faasd on Debian 12's own kernel, systemd and control groups of version 2 alone, in a virtual machine:
# test-v2.sh BINARIES [STAGE…], stages as in v2/inside.sh, all of them by default. Needs root, for the image; needs
# qemu-system-x86 and debootstrap; ends by itself. The image is kept in .build/v2, the results beside it.
set -eu
cd "$(dirname "$0")/.."
. scripts/as-root.sh
if [ "$(id -u)" -ne 0 ]; then as_root sh scripts/test-v2.sh "$@"; exit; fi
[ $# -ge 1 ] || { echo 'usage: test-v2.sh BINARIES [STAGE…]' >&2; exit 2; }
for program in qemu-system-x86_64 debootstrap mkfs.ext4; do
    command -v $program >/dev/null || { echo "$program is missing: apt-get install qemu-system-x86 debootstrap e2fsprogs" >&2; exit 1; }
done

binaries=$1
shift
stages=${*:-all}
work=$PWD/.build/v2
mkdir -p "$work"
[ -s "$work/root.img" ] || sh scripts/v2/image.sh "$work"

# Hardware help may be there by name and yet not run this kernel: see whether it does. Software takes 10 to 20 times as long.
trial() {
    timeout 20 qemu-system-x86_64 -accel kvm -cpu max -machine q35 -m 512 -nodefaults -no-user-config -display none \
        -no-reboot -kernel "$work/vmlinuz" -append 'console=ttyS0 panic=-1' -serial stdio </dev/null 2>/dev/null
}
if [ -w /dev/kvm ] && trial | grep -q 'Linux version'; then
    accelerator=kvm processor=max seconds=${FAASD_V2_SECONDS:-3600} attacks=
else
    accelerator=tcg,thread=multi,tb-size=1024 processor=max,la57=off seconds=${FAASD_V2_SECONDS:-7200}
    # So that it ends within the hour; FAASD_V2_ATTACKS= (empty) runs them all. Not PR1, PR4 and RS7, whose judges go by what
    # a real processor gets done within a second or two.
    attacks=FS1,FS2,FS3,FS11,AR1,PR2,PR5,PR7,PR9,PR29,NW2,NW3,RS1,WP1,WP5,WP17,WP20
fi
attacks=${FAASD_V2_ATTACKS-$attacks}
sh scripts/v2/payload.sh "$binaries" "$work" "stages='$stages' accelerator='$accelerator' attacks='$attacks'"
echo "Booting with $accelerator, for $seconds s at most; what happens is in $work/results.log and console.log"

# Nothing is written to the disks (-snapshot), there is no network, and the second serial line carries the results.
: >"$work/results.log"
status=0
timeout --foreground --kill-after=10 "$seconds" qemu-system-x86_64 \
    -accel $accelerator -cpu $processor -machine q35 -smp 2 -m 4096 \
    -nodefaults -no-user-config -display none -nic none -no-reboot -snapshot \
    -kernel "$work/vmlinuz" -initrd "$work/initrd" \
    -append "root=/dev/vda rw console=ttyS0 quiet panic=-1 net.ifnames=0" \
    -drive "file=$work/root.img,format=raw,if=virtio" -drive "file=$work/payload.tar,format=raw,if=virtio" \
    -serial "file:$work/console.log" -serial "file:$work/results.log" -device virtio-rng-pci </dev/null || status=$?
tr -d '\r' <"$work/results.log" >"$work/results.txt"
grep -q '^END' "$work/results.txt" || echo "The machine ended before the last stage, or was ended after $seconds s (status $status)." >>"$work/results.txt"

cat "$work/results.txt"
# Only a run of everything, to its end, says something about everything.
if [ "$stages" = all ] && grep -q '^END' "$work/results.txt"; then
    sh scripts/v2/document.sh "$work/results.txt" "$accelerator" >docs/security/cgroup-v2.md
fi
grep -q '^END ok' "$work/results.txt"
