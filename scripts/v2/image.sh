#!/bin/sh
# image.sh FOLDER: a root file system of Debian 12 with its kernel and systemd, as FOLDER/root.img, vmlinuz and initrd.
# Packages come from where this host has its own; FAASD_V2_MIRROR names another place, and must where this is not Debian 12.
set -eu
cd "$(dirname "$0")"

folder=$1 suite=bookworm
mirror=${FAASD_V2_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" 2>/dev/null | head -n 1)}
[ -n "$mirror" ] || { echo "apt knows no place with Debian 12: set FAASD_V2_MIRROR" >&2; exit 1; }
root=$folder/root
trap 'rm -rf "$root"' EXIT
rm -rf "$root"

# What faasd, its tests and the corpus use; Swift's own libraries come with the programs.
packages=systemd,systemd-sysv,dbus,uidmap,udev,kmod,procps,iproute2,linux-image-amd64
packages=$packages,libseccomp2,libcap2,libsqlite3-0,libstdc++6,zlib1g,python3,python3-pip,python3-venv,ca-certificates
debootstrap --variant=minbase --include=$packages $suite "$root" "$mirror" >"$folder/debootstrap.log" 2>&1 ||
    { tail "$folder/debootstrap.log" >&2; exit 1; }
chmod 755 "$root" # whatever our umask is: everybody starts programs there
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*

cp "$root"/boot/vmlinuz-* "$folder/vmlinuz"
cp "$root"/boot/initrd.img-* "$folder/initrd"
echo faasd-v2 >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 faasd-v2\n' >"$root/etc/hosts"
install -m 644 guest.service "$root/etc/systemd/system/faasd-guest.service"
ln -s ../faasd-guest.service "$root/etc/systemd/system/multi-user.target.wants/faasd-guest.service"
mkfs.ext4 -q -d "$root" "$folder/root.img.new" 6G
mv "$folder/root.img.new" "$folder/root.img"
