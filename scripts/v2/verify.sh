# What systemd says of the unit itself.
systemd-analyze verify /usr/local/lib/systemd/system/faasd.service || exit
systemd-analyze security --no-pager faasd.service | grep -v '^✓'
